/**
 * Loads a recorded scenario of `captures/`: its datagrams, the keys of its IKE SAs and what another decoder made of it.
 */
import { readdirSync, readFileSync } from 'node:fs'
import type { CryptoProvider } from '@culvert/crypto'
import { ENCR, INTEG, peekHeader, type SkKeys } from '@culvert/ikev2'
import { type CapturedDatagram, readPcap } from './pcap.ts'

const ROOT = new URL('./captures/', import.meta.url)

export interface ExpectedTransform {
  readonly type: number
  readonly id: number
  readonly key_length?: number
}

export interface ExpectedPayload {
  readonly type: number
  readonly length: number
  readonly raw?: string
  readonly icv?: string
  readonly iv?: string
  readonly payloads?: readonly ExpectedPayload[]
  readonly fragment?: number
  readonly fragments?: number
  readonly group?: number
  readonly data?: string
  readonly notify?: number
  readonly protocol?: number
  readonly spi?: string
  readonly spis?: readonly string[]
  readonly id?: string
  readonly id_type?: number
  readonly method?: number
  readonly encoding?: number
  readonly cfg_type?: number
  readonly attributes?: readonly { readonly type: number; readonly value: string }[]
  readonly proposals?: readonly {
    readonly number: number
    readonly protocol: number
    readonly spi?: string
    readonly transforms: readonly ExpectedTransform[]
  }[]
  readonly selectors?: readonly {
    readonly type: number
    readonly protocol: number
    readonly start_port: number
    readonly end_port: number
    readonly start: string
    readonly end: string
  }[]
}

export interface ExpectedMessage {
  readonly frame: number
  readonly kind: 'ike' | 'esp' | 'nat-keepalive'
  readonly non_esp_marker?: boolean
  readonly exchange_type?: number
  readonly message_id?: number
  readonly initiator?: boolean
  readonly response?: boolean
  readonly spi_i?: string
  readonly spi_r?: string
  readonly length?: number
  readonly payloads?: readonly ExpectedPayload[]
}

export interface DerivationEvent {
  readonly label: string
  readonly hex: string
}

export function scenarioNames(): readonly string[] {
  const entries = readdirSync(ROOT, { withFileTypes: true })
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted()
}

export function loadDatagrams(name: string): readonly CapturedDatagram[] {
  return readPcap(new Uint8Array(readFileSync(new URL(`${name}/capture.pcap`, ROOT))))
}

export function loadExpected(name: string): readonly ExpectedMessage[] {
  return readJson<{ messages: ExpectedMessage[] }>(`${name}/expected.json`).messages
}

export function loadDerivation(name: string): readonly DerivationEvent[] {
  return readJson<{ events: DerivationEvent[] }>(`${name}/keys/derivation.json`).events
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(path, ROOT), 'utf8')) as T
}

/** The IKE message in a datagram: without the non-ESP marker on port 4500; null for ESP and keepalives. */
export function ikeMessageOf(datagram: CapturedDatagram): Uint8Array | null {
  const { payload, sourcePort, destinationPort } = datagram
  if (sourcePort === 500 || destinationPort === 500) return payload
  const isMarked = payload.length > 4 && payload.subarray(0, 4).every((octet) => octet === 0)
  return isMarked ? payload.subarray(4) : null
}

/** Keys of one IKE SA, as its two ends used them. */
export interface CapturedIkeSa {
  readonly spiI: string
  readonly spiR: string
  readonly initiator: SkKeys
  readonly responder: SkKeys
}

/** Cipher id and Key Length behind the names of the key table. */
const CIPHERS: Readonly<Record<string, readonly [id: number, keyBits: number | null]>> = {
  'AES-GCM-128 with 16 octet ICV [RFC5282]': [ENCR.AES_GCM_16, 128],
  'AES-GCM-256 with 16 octet ICV [RFC5282]': [ENCR.AES_GCM_16, 256],
  'AES-CBC-128 [RFC3602]': [ENCR.AES_CBC, 128],
  'AES-CBC-256 [RFC3602]': [ENCR.AES_CBC, 256],
}

const INTEGRITIES: Readonly<Record<string, number>> = {
  'NONE [RFC4306]': INTEG.NONE,
  'HMAC_SHA1_96 [RFC2404]': INTEG.HMAC_SHA1_96,
  'HMAC_SHA2_256_128 [RFC4868]': INTEG.HMAC_SHA2_256_128,
  'HMAC_SHA2_384_192 [RFC4868]': INTEG.HMAC_SHA2_384_192,
  'HMAC_SHA2_512_256 [RFC4868]': INTEG.HMAC_SHA2_512_256,
}

/** All keys of a scenario's IKE SAs; with IKE_INTERMEDIATE there are two sets for one pair of SPIs. */
export function loadIkeSas(name: string, crypto: CryptoProvider): readonly CapturedIkeSa[] {
  const tables = readdirSync(new URL(`${name}/keys/`, ROOT), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('ikev2_decryption_table'))
    .flatMap((path) => readFileSync(new URL(`${name}/keys/${path}`, ROOT), 'utf8').split('\n'))
  const rows = tables.filter((line) => line !== '').map((line) => tableRow(line, crypto))
  return name === '23-ike-chacha20poly1305' ? [...rows, chachaSa(name, crypto)] : rows
}

function tableRow(line: string, crypto: CryptoProvider): CapturedIkeSa {
  const [spiI = '', spiR = '', skEi = '', skEr = '', encr = '', skAi = '', skAr = '', integ = ''] = line
    .split(',')
    .map((field) => field.replaceAll('"', ''))
  const [id, keyBits] = CIPHERS[encr] ?? [0, null]
  const cipher = crypto.cipher(id, keyBits)
  const integrityId = INTEGRITIES[integ]
  if (cipher === null || integrityId === undefined)
    throw new Error(`unknown algorithm in the key table: ${encr}, ${integ}`)
  const suite = { cipher, integ: integrityId === INTEG.NONE ? null : crypto.integrity(integrityId) }
  return {
    spiI,
    spiR,
    initiator: { ...suite, encrKey: hexBytes(skEi), integKey: hexBytes(skAi) },
    responder: { ...suite, encrKey: hexBytes(skEr), integKey: hexBytes(skAr) },
  }
}

/** The key table has no name for ChaCha20-Poly1305: SPIs from the first response, keys from the derivation. */
function chachaSa(name: string, crypto: CryptoProvider): CapturedIkeSa {
  const cipher = crypto.cipher(ENCR.CHACHA20_POLY1305, null)
  const header = peekHeader(loadDatagrams(name)[1]?.payload ?? new Uint8Array(0))
  if (cipher === null || !header.ok) throw new Error('no ChaCha20-Poly1305, or no response in the capture')
  const key = (label: string): Uint8Array =>
    hexBytes(loadDerivation(name).find((event) => event.label === label)?.hex ?? '')
  const suite = { cipher, integ: null, integKey: new Uint8Array(0) }
  return {
    spiI: header.value.spiI,
    spiR: header.value.spiR,
    initiator: { ...suite, encrKey: key('Sk_ei secret') },
    responder: { ...suite, encrKey: key('Sk_er secret') },
  }
}

export function hexBytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}
