/**
 * Hosts on LANs behind devices, each under a synthetic address of this node: thousands of routers use 192.168.1.0/24, so an address
 * there says nothing without its device.
 *
 *   (subject, host)  <-- one to one -->  synthetic, from 198.18.0.0/15 (RFC 2544: never seen on the Internet)
 *
 * Both directions are array reads: a synthetic address is an index, and a chained hash over typed arrays finds it by subject and
 * host. Nothing is allocated per packet, and nothing beyond the 131072 addresses of the block fits. IPv6 hosts need no mapping:
 * a LAN has its own global or unique local prefix (RFC 4193).
 */
const BLOCK = 0xc6120000
const BLOCK_MASK = 0xfffe0000
const BLOCK_SIZE = 0x20000

/** Whether an IPv4 address (unsigned) belongs to the block of synthetic addresses. */
export function isSynthetic(address: number): boolean {
  return (address & BLOCK_MASK) === (BLOCK | 0)
}

/** The block as text, for routes. */
export const SYNTHETIC_PREFIX = '198.18.0.0/15'
/** First address of the block, unsigned. */
export const SYNTHETIC_BLOCK: number = BLOCK
/** Addresses in the block. */
export const SYNTHETIC_COUNT: number = BLOCK_SIZE

export class HostMappings {
  readonly #seed: number
  /** By index into the block; subject 0: this address is free. */
  readonly #subjects = new Uint32Array(BLOCK_SIZE)
  readonly #hosts = new Uint32Array(BLOCK_SIZE)
  /** Index + 1 of the first mapping of a bucket, and of the next one behind a mapping; 0 ends a chain. */
  readonly #heads = new Uint32Array(BLOCK_SIZE)
  readonly #next = new Uint32Array(BLOCK_SIZE)
  #size = 0

  /** @param hashSeed any 32 bits; customers choose hosts, so buckets differ in each process */
  constructor(hashSeed: number) {
    this.#seed = hashSeed | 0
  }

  get size(): number {
    return this.#size
  }

  /**
   * Maps, in place of what either side was mapped to before.
   *
   * @param synthetic unsigned address inside the block
   * @param subject of the device, 1 to 2^32 - 1
   * @param host unsigned address on its LAN
   * @returns false when the synthetic address or the subject is none
   */
  set(synthetic: number, subject: number, host: number): boolean {
    if (!isSynthetic(synthetic) || subject < 1 || subject > 0xffffffff) return false
    const index = synthetic - BLOCK
    this.delete(synthetic)
    this.delete(this.syntheticOf(subject, host))
    this.#subjects[index] = subject
    this.#hosts[index] = host
    const bucket = this.#bucketOf(subject, host)
    this.#next[index] = this.#heads[bucket]!
    this.#heads[bucket] = index + 1
    this.#size++
    return true
  }

  /** Addresses that are not mapped are ignored. */
  delete(synthetic: number): void {
    const subject = this.subjectOf(synthetic)
    if (subject === 0) return
    const index = synthetic - BLOCK
    const bucket = this.#bucketOf(subject, this.#hosts[index]!)
    const after = this.#next[index]!
    if (this.#heads[bucket] === index + 1) this.#heads[bucket] = after
    else {
      let at = this.#heads[bucket]! - 1
      while (this.#next[at] !== index + 1) at = this.#next[at]! - 1
      this.#next[at] = after
    }
    this.#subjects[index] = 0
    this.#next[index] = 0
    this.#size--
  }

  /** @returns the device of a synthetic address, 0 when it is not mapped */
  subjectOf(synthetic: number): number {
    return isSynthetic(synthetic) ? this.#subjects[synthetic - BLOCK]! : 0
  }

  /** @param synthetic one that is mapped @returns the address on the LAN, unsigned */
  hostOf(synthetic: number): number {
    return this.#hosts[synthetic - BLOCK]!
  }

  /** @returns the synthetic address, unsigned; 0 when this host of this device has none */
  syntheticOf(subject: number, host: number): number {
    let at = this.#heads[this.#bucketOf(subject, host)]!
    while (at !== 0) {
      const index = at - 1
      if (this.#hosts[index] === host && this.#subjects[index] === subject) return BLOCK + index
      at = this.#next[index]!
    }
    return 0
  }

  #bucketOf(subject: number, host: number): number {
    let hash = this.#seed ^ host
    hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d)
    hash ^= subject
    hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b)
    return (hash ^ (hash >>> 16)) & (BLOCK_SIZE - 1)
  }
}
