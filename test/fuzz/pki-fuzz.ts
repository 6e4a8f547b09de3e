/**
 * Fuzzes what reads X.509 of strangers: certificates, chains, lists of revoked ones, requests, PEM. Half of the inputs are damaged as
 * they are; the other half was damaged before it was signed, as an authority below ours, or the owner of a key, could do.
 *
 * What must hold: nothing throws; a fault has a code of the set and text that is bounded and printable; without a true signature only
 * what was not changed is good; a good chain begins with the peer's own certificate, is valid now, ends below an anchor and keeps its
 * depth; a list of revoked certificates never takes the place of a newer one; every name found is bounded.
 */
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { toHex } from '@culvert/bytes'
import { signingKey } from '@culvert/crypto'
import {
  bindIdentity,
  type Certificate,
  checkCertificationRequest,
  createCrlSet,
  FAULTS,
  fromPem,
  MAX_CHAIN_CERTIFICATES,
  readCertificate,
  readCrl,
  toPem,
  trustAnchors,
  validateChain,
} from '@culvert/pki'
import { OID } from '../../packages/pki/src/der/object-identifier.ts'
import { bitString, commonName, integer, objectId, sequence, tlv } from '../../packages/pki/src/testing/der-writer.ts'
import {
  authority,
  crl,
  device,
  directory,
  dns,
  ip,
  mail,
  nameConstraints,
  NOW_MS,
  subjectAltName,
  type TestKey,
} from '../../packages/pki/src/testing/forge.ts'
import { broken } from './broken.ts'
import { CostRank, type Costly } from './cost.ts'
import { mutateDer } from './mutate-der.ts'
import { mutate } from './mutate.ts'
import { type SeededRandom, seededRandom } from './random.ts'

const ENTRIES = ['certificate', 'chain', 'crl', 'request', 'pem'] as const
export type PkiEntry = (typeof ENTRIES)[number]

export interface PkiTally {
  readonly inputs: number
  readonly good: number
  /** How often each outcome was seen, by entry and code. */
  readonly outcomes: ReadonlyMap<string, number>
  readonly costly: readonly Costly[]
}

/** One input: certificates of a chain, or one object. */
export interface PkiInput {
  readonly entry: PkiEntry
  readonly objects: readonly Uint8Array[]
  /** Signed with a key that has a good certificate. */
  readonly isSigned: boolean
}

export interface PkiFuzzOptions {
  readonly costly?: number
  /** Told of every input; the corpus is made with it. */
  readonly observe?: (input: PkiInput, outcome: string) => void
}

/** Keys that are the same in each run, and sign the same octets the same way. */
function fixedKey(octet: number): TestKey {
  const head = Buffer.from('302e020100300506032b657004220420', 'hex')
  const pkcs8 = new Uint8Array(Buffer.concat([head, Buffer.alloc(32, octet)]))
  const publicKey = createPublicKey(createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' }))
  const spki = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }))
  return { pkcs8, spki, algorithm: sequence(objectId(OID.ed25519)), scheme: { kind: 'ed25519' } }
}

const trees = nameConstraints({
  permitted: [dns('example'), mail('example'), directory(commonName('x'))],
  excluded: [ip(10, 0, 0, 0, 255, 0, 0, 0)],
})
const names = subjectAltName(mail('a@b.example'), ip(1, 2, 3, 4), directory(commonName('x', 'y')))
const root = authority(null, { name: 'Root', key: fixedKey(1), serial: 1, pathLength: 3 })
const middle = authority(root, { name: 'Middle', key: fixedKey(2), serial: 2 })
const narrow = authority(middle, { name: 'Narrow', key: fixedKey(3), serial: 3, pathLength: 0, extensions: [trees] })
const own = device(narrow, { key: fixedKey(4), serial: 4 })
const named = device(middle, { key: fixedKey(4), serial: 5, name: commonName('x', 'y'), extensions: [names] })
const list = crl(root, { revoked: [77, 78, 79], number: 7 })
const request = requestOf(own.key)
const anchors = taken(trustAnchors([root.der]))
const rootCertificate = taken(readCertificate(root.der))
const recorded = recordedCertificates()
const material = [root.der, middle.der, narrow.der, own.der, named.der, list, request, ...recorded]
const GENUINE = new Set(material.map(toHex))
const PEM_BYTES = new TextEncoder().encode(toPem(own.der, 'CERTIFICATE') + toPem(middle.der, 'CERTIFICATE'))

/** @throws Error with the input in hexadecimal as soon as one rule is broken. */
export function fuzzPki(seed: number, iterations: number, options: PkiFuzzOptions = {}): PkiTally {
  const random = seededRandom(seed)
  const cost = new CostRank(options.costly ?? 0)
  const outcomes = new Map<string, number>()
  let good = 0
  for (let index = 0; index < iterations; index++) {
    const input = random.oneIn(2) ? makeForeign(random) : makeSigned(random)
    const outcome = cost.measure(index, input.objects[0] ?? new Uint8Array(0), () => checkPki(input))
    options.observe?.(input, outcome)
    if (outcome === 'good') good += 1
    const name = `${input.entry} ${outcome}`
    outcomes.set(name, (outcomes.get(name) ?? 0) + 1)
  }
  return { inputs: iterations, good, outcomes, costly: cost.costly }
}

/** @returns `good`, or the code of the fault. @throws when a rule is broken. */
export function checkPki(input: PkiInput): string {
  try {
    switch (input.entry) {
      case 'certificate':
        return checkCertificate(input)
      case 'chain':
        return checkChain(input)
      case 'crl':
        return checkCrl(input)
      case 'request':
        return checkRequest(input)
      case 'pem':
        return checkPem(input)
    }
  } catch (cause) {
    throw broken(input.entry, input.objects, cause)
  }
}

/** Damaged as it is: whatever signature stands in it covers something else. */
function makeForeign(random: SeededRandom): PkiInput {
  const entry = random.pick(ENTRIES)
  const spoilt = (bytes: Uint8Array): Uint8Array => {
    if (random.oneIn(20)) return random.bytes(random.below(300))
    return random.oneIn(2) ? mutateDer(bytes, random, material) : mutate(bytes, random, material)
  }
  switch (entry) {
    case 'certificate':
      return { entry, objects: [spoilt(random.pick([own.der, named.der, narrow.der, ...recorded]))], isSigned: false }
    case 'chain': {
      const chain = shuffled([own.der, narrow.der, middle.der], random)
      const at = random.below(chain.length)
      return { entry, objects: chain.map((der, index) => (index === at ? spoilt(der) : der)), isSigned: false }
    }
    case 'crl':
      return { entry, objects: [spoilt(list)], isSigned: false }
    case 'request':
      return { entry, objects: [spoilt(request)], isSigned: false }
    case 'pem':
      return { entry, objects: [mutate(PEM_BYTES, random, [PEM_BYTES])], isSigned: false }
  }
}

/** Damaged and then signed by who may sign: the authority between, or the owner of the key. */
function makeSigned(random: SeededRandom): PkiInput {
  const entry = random.pick(['chain', 'chain', 'crl', 'request'] as const)
  const resigned = (der: Uint8Array, key: TestKey): Uint8Array => signedAgain(der, key, random)
  if (entry === 'crl') return { entry, objects: [resigned(list, root.key)], isSigned: true }
  if (entry === 'request') return { entry, objects: [resigned(request, own.key)], isSigned: true }
  const chain = random.pick([
    () => [resigned(own.der, narrow.key), narrow.der, middle.der],
    () => [own.der, resigned(narrow.der, middle.key), middle.der],
    () => [resigned(named.der, middle.key), middle.der],
    () => [resigned(middle.der, root.key), root.der],
    () => [own.der, narrow.der, resigned(middle.der, root.key), root.der],
  ])()
  return { entry, objects: random.oneIn(4) ? shuffled(chain, random) : chain, isSigned: true }
}

/** What is signed is changed and signed again. */
function signedAgain(der: Uint8Array, key: TestKey, random: SeededRandom): Uint8Array {
  const read = splitSigned(der)
  const tbs = mutateDer(read, random, material)
  const signature = signingKey(key.pkcs8)?.sign(key.scheme, tbs) ?? new Uint8Array(64)
  return sequence(tbs, key.algorithm, bitString(signature))
}

/** The first element of what is signed: its octets as they are. */
function splitSigned(der: Uint8Array): Uint8Array {
  const start = der[1] === 0x82 ? 4 : der[1] === 0x81 ? 3 : 2
  const [, first = 0, high = 0, low = 0] = der.subarray(start)
  const bytes = first === 0x82 ? 4 + high * 256 + low : first === 0x81 ? 3 + high : 2 + first
  return der.subarray(start, start + bytes)
}

function checkCertificate({ objects: [der = new Uint8Array(0)] }: PkiInput): string {
  const read = readCertificate(der)
  if (!read.ok) return faultOf(read)
  checkContents(read.value, der)
  for (const type of [0, 1, 2, 3, 5, 9, 11, 255]) {
    const data = type === 9 ? read.value.subject : der.subarray(0, type === 1 ? 4 : 16)
    const bound = bindIdentity(read.value, { type, data })
    if (!bound.ok) faultOf(bound)
  }
  const asAnchor = trustAnchors([der])
  if (!asAnchor.ok) faultOf(asAnchor)
  return 'good'
}

function checkContents({ extensions, serial, tbs, notBeforeMs, notAfterMs }: Certificate, der: Uint8Array): void {
  must(tbs.length < der.length && serial.length <= 42, 'reaches behind its octets')
  must(Number.isFinite(notBeforeMs) && Number.isFinite(notAfterMs), 'is valid at no time')
  must(extensions.subjectAltNames.length <= 64, 'names without bound')
}

function checkChain({ objects, isSigned }: PkiInput): string {
  const checked = validateChain(objects, { anchors, atMs: NOW_MS, purpose: 'device' })
  if (!checked.ok) return faultOf(checked)
  const { certificate, path, anchor } = checked.value
  must(Buffer.compare(certificate.der, objects[0] ?? new Uint8Array(0)) === 0, 'another certificate than the own one')
  must(Buffer.compare(anchor.der, root.der) === 0, 'ends in no anchor')
  must(path.length <= MAX_CHAIN_CERTIFICATES, 'too long a path')
  for (const each of path) {
    must(each.notBeforeMs <= NOW_MS && NOW_MS <= each.notAfterMs, 'not valid now')
    must(isSigned || GENUINE.has(toHex(each.der)), 'good without a true signature')
    must(each.extensions.unknownCritical.length === 0, 'a critical extension nobody knows')
  }
  for (const each of path.slice(1)) must(each.extensions.isAuthority === true, 'an issuer that is no authority')
  return 'good'
}

function checkCrl({ objects: [der = new Uint8Array(0)], isSigned }: PkiInput): string {
  const set = createCrlSet()
  const known = taken(set.add(list, rootCertificate, NOW_MS))
  const read = readCrl(der)
  if (read.ok) must(read.value.revoked.size * 3 <= der.length, 'more serial numbers than octets')
  const added = set.add(der, rootCertificate, NOW_MS)
  const now = set.of(rootCertificate)
  if (!added.ok) {
    must(now === known, 'a bad list took the place of a good one')
    return faultOf(added)
  }
  must(isSigned || GENUINE.has(toHex(der)), 'good without a true signature')
  must(
    (added.value.number ?? Infinity) >= 7 || added.value.number === null,
    'an older list took the place of a newer one',
  )
  return 'good'
}

function checkRequest({ objects: [der = new Uint8Array(0)], isSigned }: PkiInput): string {
  const checked = checkCertificationRequest(der)
  if (!checked.ok) return faultOf(checked)
  must(isSigned || GENUINE.has(toHex(der)), 'good without a true signature')
  must(Buffer.compare(checked.value.spki, own.key.spki) === 0, 'a key whose owner did not sign')
  return 'good'
}

function checkPem({ objects: [bytes = new Uint8Array(0)] }: PkiInput): string {
  const blocks = fromPem(String.fromCharCode(...bytes), 'CERTIFICATE')
  if (blocks === null) return 'broken'
  must(blocks.reduce((sum, block) => sum + block.length, 0) <= bytes.length, 'more octets than characters')
  for (const block of blocks) readCertificate(block)
  return blocks.length === 0 ? 'empty' : 'good'
}

function faultOf(result: { readonly ok: false; readonly fault: { code: string; detail: string | null } }): string {
  const { code, detail } = result.fault
  must(Object.hasOwn(FAULTS, code), 'an unknown fault')
  const isForPeople = detail === null || (detail.length <= 200 && Array.from(detail).every(isPrintable))
  must(isForPeople, 'text that is not for people')
  return code
}

function isPrintable(character: string): boolean {
  return character >= ' ' && character !== '\u007f'
}

function requestOf(key: TestKey): Uint8Array {
  const tbs = sequence(integer(0), commonName('whoever'), key.spki, tlv(0xa0))
  const signature = signingKey(key.pkcs8)?.sign(key.scheme, tbs) ?? new Uint8Array(64)
  return sequence(tbs, key.algorithm, bitString(signature))
}

/** What strongSwan's tools made, each octet string once. */
function recordedCertificates(): Uint8Array[] {
  const folder = new URL('../vectors/captures/', import.meta.url)
  const files = readdirSync(folder, { recursive: true }).map(String)
  const texts = files.filter((file) => file.endsWith('.pem')).map((file) => readFileSync(new URL(file, folder), 'utf8'))
  const found = new Map(texts.flatMap((text) => fromPem(text, 'CERTIFICATE') ?? []).map((der) => [toHex(der), der]))
  return [...found.values()].toSorted(Buffer.compare).slice(0, 24)
}

function shuffled(chain: readonly Uint8Array[], random: SeededRandom): Uint8Array[] {
  const [first = new Uint8Array(0), ...others] = chain
  const all = random.oneIn(8) ? [...others, first] : [first, ...others.toReversed()]
  return random.oneIn(8) ? [...all, random.pick(material)] : all
}

function taken<T>(result: { readonly ok: true; readonly value: T } | { readonly ok: false }): T {
  if (!result.ok) throw new Error('what is to be damaged is not good')
  return result.value
}

function must(condition: boolean, rule: string): void {
  if (!condition) throw new Error(rule)
}
