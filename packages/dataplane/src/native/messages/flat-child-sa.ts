/**
 * A Child SA as a flat list of numbers and words, for the way to the workers: cloning the tree of objects that describes one costs
 * more than making its ciphers.
 *
 *   SPIs, flags, path, transforms | selectors of both sides, each with its count | original addresses | placement
 */
import { fromHex, InvariantError, toHex } from '@culvert/bytes'
import type { Placement } from '@culvert/esp'
import type { ChildKeys, ChildSaDescription, OriginalAddresses, Spi, TrafficSelector, Transform } from '@culvert/ikev2'

type Flat = number | string | boolean | null
export type FlatChildSa = readonly Flat[]

/** All but the octets of its keys. */
export interface KeylessChildSa {
  readonly description: Omit<ChildSaDescription, 'keys'>
  readonly keys: Pick<ChildKeys, 'encr' | 'integ' | 'esn'>
  readonly placement: Placement | null
}

type Original = ChildSaDescription['originalAddresses']

export function flattenChildSa({ description, keys, placement }: KeylessChildSa): FlatChildSa {
  const { spiIn, spiOut, path, udpEncap, peerBehindNat, protocol, mode, outbound, replaces } = description
  const flat: Flat[] = [spiIn, spiOut, udpEncap, peerBehindNat, protocol ?? null, mode, outbound, replaces]
  flat.push(path.local.address, path.local.port, path.remote.address, path.remote.port)
  flattenTransform(flat, keys.encr)
  flattenTransform(flat, keys.integ)
  flat.push(keys.esn)
  for (const selectors of [description.tsLocal, description.tsRemote]) {
    flat.push(selectors.length)
    for (const selector of selectors) flattenSelector(flat, selector)
  }
  flattenOriginal(flat, description.originalAddresses)
  flat.push(placement === null ? null : placement.subject)
  if (placement !== null) flat.push(placement.addresses.length, ...placement.addresses)
  return flat
}

function flattenTransform(flat: Flat[], transform: Transform | null): void {
  if (transform === null) flat.push(null)
  else flat.push(transform.type, transform.id, transform.keyBits)
}

function flattenSelector(flat: Flat[], selector: TrafficSelector): void {
  const { type, protocol, startPort, endPort, startAddress, endAddress } = selector
  flat.push(type, protocol, startPort, endPort, startAddress.length, ...startAddress, endAddress.length, ...endAddress)
}

function flattenOriginal(flat: Flat[], original: Original): void {
  if (original === undefined || original === 'unknown') flat.push(original ?? null)
  else flat.push(toHex(original.local), toHex(original.remote))
}

/** @param flat as `flattenChildSa` made it */
export function restoreChildSa(flat: FlatChildSa): KeylessChildSa {
  const fields = new Fields(flat)
  const spis = { spiIn: fields.number() as Spi, spiOut: fields.number() as Spi }
  const flags = { udpEncap: fields.boolean(), peerBehindNat: fields.boolean() }
  const protocol = fields.text() as NonNullable<ChildSaDescription['protocol']> | null
  const mode = fields.text() as ChildSaDescription['mode']
  const role = { mode, outbound: fields.boolean(), replaces: fields.numberOrNull() as Spi | null }
  const path = { local: fields.address(), remote: fields.address() }
  const encr = fields.transform()
  if (encr === null) throw new InvariantError('a Child SA without a cipher')
  const keys = { encr, integ: fields.transform(), esn: fields.boolean() }
  const selectors = { tsLocal: fields.selectors(), tsRemote: fields.selectors() }
  const originalAddresses = fields.original()
  const description = {
    ...spis,
    ...flags,
    ...role,
    path,
    ...selectors,
    ...(protocol !== null && { protocol }),
    ...(originalAddresses !== undefined && { originalAddresses }),
  }
  return { description, keys, placement: fields.placement() }
}

/** Reads a flat list from its beginning. */
class Fields {
  readonly #flat: FlatChildSa
  #at = 0

  constructor(flat: FlatChildSa) {
    this.#flat = flat
  }

  number(): number {
    return this.#flat[this.#at++] as number
  }

  numberOrNull(): number | null {
    return this.#flat[this.#at++] as number | null
  }

  boolean(): boolean {
    return this.#flat[this.#at++] as boolean
  }

  text(): string | null {
    return this.#flat[this.#at++] as string | null
  }

  address(): { address: string; port: number } {
    return { address: this.text() ?? '', port: this.number() }
  }

  transform(): Transform | null {
    const type = this.numberOrNull()
    return type === null ? null : { type, id: this.number(), keyBits: this.numberOrNull() }
  }

  selectors(): TrafficSelector[] {
    const count = this.number()
    const selectors: TrafficSelector[] = []
    for (let index = 0; index < count; index++) {
      const type = this.number() as TrafficSelector['type']
      const upperLayer = { protocol: this.number(), startPort: this.number(), endPort: this.number() }
      selectors.push({ type, ...upperLayer, startAddress: this.octets(), endAddress: this.octets() })
    }
    return selectors
  }

  octets(): Uint8Array {
    const octets = new Uint8Array(this.number())
    for (let index = 0; index < octets.length; index++) octets[index] = this.number()
    return octets
  }

  original(): Original {
    const local = this.text()
    if (local === null) return undefined
    return local === 'unknown'
      ? local
      : ({ local: octetsOf(local), remote: octetsOf(this.text()) } as OriginalAddresses)
  }

  placement(): Placement | null {
    const subject = this.numberOrNull()
    if (subject === null) return null
    return { subject, addresses: Array.from({ length: this.number() }, () => this.text() ?? '') }
  }
}

function octetsOf(hex: string | null): Uint8Array {
  const octets = fromHex(hex ?? '')
  if (octets === undefined) throw new InvariantError('not hexadecimal')
  return octets
}
