/**
 * From the negotiated transforms and keys of a Child SA to its two native transforms: the one table of suites on this rung.
 *
 * AES-GCM and ChaCha20-Poly1305 (RFC 4106, 7634) and AES-CBC with HMAC (RFC 3602, 2404, 4868) run in place on OpenSSL; what is
 * not in the table goes through the crypto provider, so the rung supports what packages/esp supports and refuses what it refuses.
 */
import type { CryptoProvider } from '@culvert/crypto'
import {
  type AhPair,
  createAhPair,
  createTransformPair,
  IvCounter,
  type RandomPool,
  type TransformPairError,
} from '@culvert/esp'
import type { ChildKeys } from '@culvert/ikev2'
import type { Checksum } from '../superpackets/checksum.ts'
import type { Openssl, PacketMemory } from '../../foreign/index.ts'
import { KeyVault, keyVaultBytes } from './key-vault.ts'
import {
  AdaptedOpener,
  AdaptedSealer,
  AeadOpener,
  AeadSealer,
  CbcOpener,
  CbcSealer,
  SCRATCH_BYTES,
  type AeadMaterial,
  type CbcMaterial,
  type NativeOpener,
  type NativeSealer,
  type TransformSite,
} from './packet-transform.ts'

export interface NativeTransforms {
  readonly opener: NativeOpener
  readonly sealer: NativeSealer
  /** Of an SA of AH, whose opener and sealer do nothing. */
  readonly ah?: AhPair
}

export interface TransformFactoryOptions {
  readonly memory: PacketMemory
  readonly checksum: Checksum
  readonly openssl: Openssl
  readonly random: RandomPool
  readonly provider: CryptoProvider
  readonly incarnation: number
  /** Which of the threads that seal under the same keys; 0 when left out. */
  readonly thread?: number
  readonly maxSas: number
}

const ENCR_AES_CBC = 12
const ENCR_CHACHA20_POLY1305 = 28
const SALT_BYTES = 4

const AES_GCM = { 128: 'AES-128-GCM', 192: 'AES-192-GCM', 256: 'AES-256-GCM' } as const

/** ICV length of ENCR_AES_GCM by transform id. */
const GCM_ICV_BYTES: Readonly<Record<number, number>> = { 18: 8, 19: 12, 20: 16 }

/** Integrity transforms that are HMACs. */
const HMACS: Readonly<
  Record<number, { readonly digest: string; readonly keyBytes: number; readonly icvBytes: number }>
> = {
  2: { digest: 'SHA1', keyBytes: 20, icvBytes: 12 },
  12: { digest: 'SHA256', keyBytes: 32, icvBytes: 16 },
  13: { digest: 'SHA384', keyBytes: 48, icvBytes: 24 },
  14: { digest: 'SHA512', keyBytes: 64, icvBytes: 32 },
}

export class TransformFactory {
  readonly #options: TransformFactoryOptions
  readonly #site: TransformSite

  constructor(options: TransformFactoryOptions) {
    const { memory, checksum, openssl, random, maxSas } = options
    this.#options = options
    const scratchIn = memory.allocate(SCRATCH_BYTES)
    const scratchOut = memory.allocate(SCRATCH_BYTES)
    const vault = new KeyVault(memory, keySlots(maxSas))
    this.#site = { memory, checksum, openssl, random, vault, scratchIn, scratchOut }
  }

  /** Copies what it needs of the keys; the caller zeroes its own. */
  create(keys: ChildKeys): NativeTransforms | TransformPairError {
    const aead = aeadAlgorithm(keys)
    if (aead !== null) return this.#createAead(keys, aead)
    const hmac = keys.integ === null ? undefined : HMACS[keys.integ.id]
    if (keys.encr.id === ENCR_AES_CBC && hmac !== undefined) return this.#createCbc(keys, hmac)
    return this.#adapt(keys)
  }

  /** For AH, which is not for speed: it runs on the crypto provider. Copies the keys, too. */
  createAh(keys: ChildKeys): NativeTransforms | TransformPairError {
    const pair = createAhPair(keys, this.#options)
    if (!pair.ok) return pair.error
    const { opener, sealer, ah } = pair.value
    return {
      opener: new AdaptedOpener(this.#site, opener),
      sealer: new AdaptedSealer(this.#site, sealer),
      ...(ah && { ah }),
    }
  }

  #createAead(
    keys: ChildKeys,
    { algorithm, keyBytes, icvBytes }: AeadAlgorithm,
  ): NativeTransforms | TransformPairError {
    const materialBytes = keyBytes + SALT_BYTES
    if (keys.inboundKey.length !== materialBytes || keys.outboundKey.length !== materialBytes) return 'keyLength'
    const of = (material: Uint8Array): AeadMaterial => ({ algorithm, material, icvBytes, esn: keys.esn })
    const opener = new AeadOpener(this.#site, of(keys.inboundKey))
    const ivCounter = new IvCounter(this.#options.incarnation, this.#options.thread)
    return { opener, sealer: new AeadSealer(this.#site, of(keys.outboundKey), ivCounter) }
  }

  #createCbc(keys: ChildKeys, hmac: (typeof HMACS)[number]): NativeTransforms | TransformPairError {
    const { keyBits } = keys.encr
    if (keyBits !== 128 && keyBits !== 192 && keyBits !== 256) return 'unsupported'
    if (keys.inboundKey.length * 8 !== keyBits || keys.outboundKey.length * 8 !== keyBits) return 'keyLength'
    const integrityKeys = [keys.inboundIntegKey, keys.outboundIntegKey]
    if (integrityKeys.some((key) => key.length !== hmac.keyBytes)) return 'keyLength'
    const algorithm = `AES-${keyBits}-CBC`
    const { digest, icvBytes } = hmac
    const of = (key: Uint8Array, integrityKey: Uint8Array): CbcMaterial => {
      return { algorithm, digest, key, integrityKey, icvBytes, esn: keys.esn }
    }
    return {
      opener: new CbcOpener(this.#site, of(keys.inboundKey, keys.inboundIntegKey)),
      sealer: new CbcSealer(this.#site, of(keys.outboundKey, keys.outboundIntegKey)),
    }
  }

  #adapt(keys: ChildKeys): NativeTransforms | TransformPairError {
    const pair = createTransformPair(keys, this.#options)
    if (!pair.ok) return pair.error
    const { opener, sealer } = pair.value
    return { opener: new AdaptedOpener(this.#site, opener), sealer: new AdaptedSealer(this.#site, sealer) }
  }
}

/** Both directions of every SA, and of one that is refused after its transforms were made. */
function keySlots(maxSas: number): number {
  return 2 * (maxSas + 1)
}

/** Packet memory that a factory takes, beside a fixed part of 132 KiB. */
export function transformBytes(maxSas: number): number {
  return keyVaultBytes(keySlots(maxSas))
}

interface AeadAlgorithm {
  /** OpenSSL's name. */
  readonly algorithm: string
  readonly keyBytes: number
  readonly icvBytes: number
}

function aeadAlgorithm({ encr }: ChildKeys): AeadAlgorithm | null {
  if (encr.id === ENCR_CHACHA20_POLY1305) return { algorithm: 'ChaCha20-Poly1305', keyBytes: 32, icvBytes: 16 }
  const icvBytes = GCM_ICV_BYTES[encr.id]
  const { keyBits } = encr
  if (icvBytes === undefined || (keyBits !== 128 && keyBits !== 192 && keyBits !== 256)) return null
  return { algorithm: AES_GCM[keyBits], keyBytes: keyBits / 8, icvBytes }
}
