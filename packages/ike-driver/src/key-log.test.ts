import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { ENCR, INTEG } from '@culvert/crypto'
import type { ChildSaDescription, ExposedIkeKeys, IkeSpi, Transform } from '@culvert/ikev2'
import { afterEach, expect, it } from 'vitest'
import { childKeyLines, ikeKeyLines, openKeyLog } from './key-log.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) fs.rmSync(folder, { recursive: true })
})

const gcm: Transform = { type: 1, id: ENCR.AES_GCM_16, keyBits: 256 }
const chacha: Transform = { type: 1, id: ENCR.CHACHA20_POLY1305, keyBits: null }
const cbc: Transform = { type: 1, id: ENCR.AES_CBC, keyBits: 128 }
const sha256 = { type: 3, id: INTEG.HMAC_SHA2_256_128, keyBits: null }
const none = new Uint8Array(0)

const ike: ExposedIkeKeys = {
  spiI: '0102030405060708' as IkeSpi,
  spiR: '1112131415161718' as IkeSpi,
  encr: gcm,
  integ: null,
  skEi: Uint8Array.of(0xaa, 0xbb),
  skEr: Uint8Array.of(0xcc, 0x0d),
  skAi: none,
  skAr: none,
}

function child(encr: Transform, integ: Transform | null): ChildSaDescription {
  const inboundKey = Uint8Array.of(1)
  const outboundKey = Uint8Array.of(2)
  const macs = { inboundIntegKey: Uint8Array.of(3), outboundIntegKey: Uint8Array.of(4) }
  const keys = { encr, integ, esn: false, inboundKey, outboundKey, ...macs }
  return { spiIn: 0x1020, spiOut: 0xfedc_ba98, keys } as unknown as ChildSaDescription
}

it('writes an IKE SA with an AEAD as Wireshark wants it', () => {
  expect(ikeKeyLines(ike)).toEqual([
    '0102030405060708,1112131415161718,aabb,cc0d,"AES-GCM-256 with 16 octet ICV [RFC5282]",,,"NONE [RFC4306]"',
  ])
})

it('writes an IKE SA with a cipher and a MAC', () => {
  expect(ikeKeyLines({ ...ike, encr: cbc, integ: sha256, skAi: Uint8Array.of(1), skAr: Uint8Array.of(2) })).toEqual([
    '0102030405060708,1112131415161718,aabb,cc0d,"AES-CBC-128 [RFC3602]",01,02,"HMAC_SHA2_256_128 [RFC4868]"',
  ])
})

it('writes a Child SA in both directions', () => {
  expect(childKeyLines(child(cbc, sha256))).toEqual([
    '"IPv4","*","*","0x00001020","AES-CBC [RFC3602]","0x01","HMAC-SHA-256-128 [RFC4868]","0x03"',
    '"IPv4","*","*","0xfedcba98","AES-CBC [RFC3602]","0x02","HMAC-SHA-256-128 [RFC4868]","0x04"',
  ])
})

it('writes nothing for a cipher the dissector has no name for', () => {
  expect(ikeKeyLines({ ...ike, encr: chacha })).toEqual([])
  expect(childKeyLines(child(chacha, null))).toEqual([])
})

it('makes files that only their owner reads', () => {
  const parent = fs.mkdtempSync(path.join(os.tmpdir(), 'key-log-'))
  folders.push(parent)
  const folder = path.join(parent, 'keys')
  const log = openKeyLog(folder)
  log.ike(ike)
  log.child(child(gcm, null))
  const modes = ['', 'ikev2_decryption_table', 'esp_sa'].map(
    (file) => fs.statSync(path.join(folder, file)).mode & 0o777,
  )
  expect(modes).toEqual([0o700, 0o600, 0o600])
  expect(fs.readFileSync(path.join(folder, 'esp_sa'), 'utf8').split('\n')).toHaveLength(3)
})
