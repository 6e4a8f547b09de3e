/**
 * Keys for a dissector: Wireshark's tables `ikev2_decryption_table` and `esp_sa`, one line per SA and direction (for tshark 4.0).
 *
 * A debugging aid: whoever reads these files reads the traffic. It is made only when somebody names a folder, the files are
 * readable by their owner alone, and nothing is written for ciphers the dissector has no name for.
 */
import fs from 'node:fs'
import path from 'node:path'
import { ENCR, INTEG } from '@culvert/crypto'
import type { ChildSaDescription, ExposedIkeKeys, Transform } from '@culvert/ikev2'

const GCM_ICV_OCTETS: ReadonlyMap<number, number> = new Map([
  [ENCR.AES_GCM_8, 8],
  [ENCR.AES_GCM_12, 12],
  [ENCR.AES_GCM_16, 16],
])

const MACS: ReadonlyMap<number, { readonly ike: string; readonly esp: string }> = new Map([
  [INTEG.HMAC_SHA1_96, { ike: 'HMAC_SHA1_96 [RFC2404]', esp: 'HMAC-SHA-1-96 [RFC2404]' }],
  [INTEG.HMAC_SHA2_256_128, { ike: 'HMAC_SHA2_256_128 [RFC4868]', esp: 'HMAC-SHA-256-128 [RFC4868]' }],
  [INTEG.HMAC_SHA2_384_192, { ike: 'HMAC_SHA2_384_192 [RFC4868]', esp: 'HMAC-SHA-384-192 [RFC4868]' }],
  [INTEG.HMAC_SHA2_512_256, { ike: 'HMAC_SHA2_512_256 [RFC4868]', esp: 'HMAC-SHA-512-256 [RFC4868]' }],
])

export interface KeyLog {
  ike(keys: ExposedIkeKeys): void
  child(child: ChildSaDescription): void
}

/** @param folder is created when it is missing; lines are added to what is there. @throws when it cannot be written. */
export function openKeyLog(folder: string): KeyLog {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  const append = (file: string, lines: readonly string[]): void => {
    for (const line of lines) fs.appendFileSync(path.join(folder, file), `${line}\n`, { mode: 0o600 })
  }
  return {
    ike: (keys) => append('ikev2_decryption_table', ikeKeyLines(keys)),
    child: (child) => append('esp_sa', childKeyLines(child)),
  }
}

/** @returns one line; none for a cipher the dissector does not know. */
export function ikeKeyLines(keys: ExposedIkeKeys): string[] {
  const cipher = ikeCipherName(keys.encr)
  const mac = keys.integ === null ? 'NONE [RFC4306]' : MACS.get(keys.integ.id)?.ike
  if (cipher === null || mac === undefined) return []
  const { spiI, spiR, skEi, skEr, skAi, skAr } = keys
  return [[spiI, spiR, hex(skEi), hex(skEr), quoted(cipher), hex(skAi), hex(skAr), quoted(mac)].join(',')]
}

/** @returns a line for each direction; none for a cipher the dissector does not know. */
export function childKeyLines({ spiIn, spiOut, keys }: ChildSaDescription): string[] {
  const cipher = espCipherName(keys.encr)
  const mac = keys.integ === null ? 'NULL' : MACS.get(keys.integ.id)?.esp
  if (cipher === null || mac === undefined) return []
  const line = (spi: number, key: Uint8Array, macKey: Uint8Array): string => {
    const spiText = `0x${spi.toString(16).padStart(8, '0')}`
    return ['IPv4', '*', '*', spiText, cipher, `0x${hex(key)}`, mac, `0x${hex(macKey)}`].map(quoted).join(',')
  }
  return [line(spiIn, keys.inboundKey, keys.inboundIntegKey), line(spiOut, keys.outboundKey, keys.outboundIntegKey)]
}

function ikeCipherName({ id, keyBits }: Transform): string | null {
  const icvOctets = GCM_ICV_OCTETS.get(id)
  if (icvOctets !== undefined) return `AES-GCM-${keyBits} with ${icvOctets} octet ICV [RFC5282]`
  if (id === ENCR.AES_CBC) return `AES-CBC-${keyBits} [RFC3602]`
  return id === ENCR.TRIPLE_DES ? '3DES [RFC2451]' : null
}

function espCipherName({ id }: Transform): string | null {
  const icvOctets = GCM_ICV_OCTETS.get(id)
  if (icvOctets !== undefined) return `AES-GCM with ${icvOctets} octet ICV [RFC4106]`
  return id === ENCR.AES_CBC ? 'AES-CBC [RFC3602]' : null
}

function quoted(text: string): string {
  return `"${text}"`
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}
