/**
 * The key schedule, PSK authentication and NAT detection against what strongSwan daemons computed (`derivation.json` of each scenario).
 *
 * Additional key exchanges (RFC 9370) and what authenticates them (RFC 9242) among it. Not covered: scenarios with a post-quantum
 * pre-shared key, whose keys are mixed differently (RFC 8784).
 */
import { concatBytes, formatIp, toHex } from '@culvert/bytes'
import { nobleProvider, opensslProvider, type CryptoProvider, type Prf } from '@culvert/crypto'
import {
  type AddedFragment,
  addFragment,
  decodeMessage,
  deriveChildKeys,
  deriveIkeKeys,
  deriveSkeyseed,
  ENCR,
  EXCHANGE,
  type IkeKeys,
  type IkeSpi,
  INTEG,
  natDetectionHash,
  type FragmentSet,
  intAuthOf,
  nextIntAuth,
  openMessage,
  type Payload,
  PRF,
  receivedOctets,
  sharedKeyAuth,
  signedOctets,
} from '@culvert/ikev2'
import { describe, expect, it } from 'vitest'
import {
  type CapturedIkeSa,
  type DerivationEvent,
  hexBytes,
  ikeMessageOf,
  loadDatagrams,
  loadDerivation,
  loadIkeSas,
  scenarioNames,
} from './capture-scenario.ts'

const names = scenarioNames().filter((name) => !name.startsWith('16-'))
const counted = { ikeSas: 0, rekeyedIkeSas: 0, childSas: 0, auths: 0, natHashes: 0, intAuths: 0 }

describe.each([opensslProvider, nobleProvider])('derivations with the $name provider', (provider) => {
  it.each(names)('%s', (name) => {
    checkNatDetection(provider, loadDerivation(name))
    const scenario = loadScenario(name, provider)
    if (scenario === null) return
    const skDs = checkIkeKeys(scenario)
    checkAuthentication(scenario, checkIntAuth(scenario))
    checkChildKeys(scenario, skDs)
  })
})

it('saw every kind of derivation', () => {
  expect(counted).toEqual({
    ikeSas: 104,
    rekeyedIkeSas: 10,
    childSas: 120,
    auths: 158,
    natHashes: 440,
    intAuths: 8,
  })
})

interface Scenario {
  readonly provider: CryptoProvider
  readonly events: readonly DerivationEvent[]
  readonly sas: readonly CapturedIkeSa[]
  readonly messages: readonly Uint8Array[]
  readonly prf: Prf
}

/** Null when the responder refused in IKE_SA_INIT: there are no keys then. */
function loadScenario(name: string, provider: CryptoProvider): Scenario | null {
  const events = loadDerivation(name)
  const skeyseed = events.find(({ label }) => label === 'SKEYSEED')
  if (skeyseed === undefined) return null
  const prf = provider.prf(PRF_OF_BYTES[skeyseed.hex.length / 2] ?? 0)
  if (prf === null) throw new Error('unknown PRF')
  const messages = loadDatagrams(name).map(ikeMessageOf)
  return {
    provider,
    events,
    sas: loadIkeSas(name, provider),
    messages: messages.filter((octets) => octets !== null),
    prf,
  }
}

const PRF_OF_BYTES: Readonly<Record<number, number>> = {
  20: PRF.HMAC_SHA1,
  32: PRF.HMAC_SHA2_256,
  48: PRF.HMAC_SHA2_384,
  64: PRF.HMAC_SHA2_512,
}

function checkNatDetection(provider: CryptoProvider, events: readonly DerivationEvent[]): void {
  const chunks = events.filter(({ label }) => label === 'natd_chunk')
  const hashes = events.filter(({ label }) => label === 'natd_hash')
  expect(chunks.length).toBeGreaterThan(0)
  for (const [index, { hex }] of chunks.entries()) {
    const address = hexBytes(hex.slice(32, -4))
    const port = Number.parseInt(hex.slice(-4), 16)
    const hash = natDetectionHash(
      provider,
      hex.slice(0, 16) as IkeSpi,
      hex.slice(16, 32) as IkeSpi,
      formatIp(address) ?? '',
      port,
    )
    expect(toHex(hash)).toBe(hashes[index]?.hex)
    counted.natHashes++
  }
}

/** @returns every SK_d of the scenario. */
function checkIkeKeys(scenario: Scenario): readonly Uint8Array[] {
  const { events, prf } = scenario
  const skDs: Uint8Array[] = []
  for (const [index, event] of events.entries()) {
    if (event.label !== 'SKEYSEED') continue
    const sharedSecret = hexBytes(before(events, index, 'key exchange secret'))
    const nonces = hexBytes(before(events, index, 'nonces'))
    const isFirst = hasInitNonces(scenario.messages, nonces)
    const additional = [hexBytes(before(events, index, 'additional key exchange secret'))]
    // which half is whose does not matter: they are only ever used joined
    const joined = { nonceI: nonces, nonceR: new Uint8Array(0), sharedSecret, additional }
    // after IKE_INTERMEDIATE the same nonces come with the SK_d of before
    const olds = isFirst ? [undefined, ...skDs] : skDs
    const matching = olds.filter((oldSkD) => {
      const input = oldSkD === undefined ? joined : { ...joined, oldSkD }
      return toHex(deriveSkeyseed(prf, input)) === event.hex
    })
    expect(matching).toHaveLength(1)
    const oldSkD = matching[0]
    const keys = checkKeysOfSa(scenario, index, oldSkD === undefined ? joined : { ...joined, oldSkD })
    skDs.push(keys.skD)
    counted[isFirst ? 'ikeSas' : 'rekeyedIkeSas']++
  }
  return skDs
}

function checkKeysOfSa(
  scenario: Scenario,
  index: number,
  input: Pick<Parameters<typeof deriveIkeKeys>[1], 'nonceI' | 'nonceR' | 'sharedSecret' | 'additional' | 'oldSkD'>,
): IkeKeys {
  const { events, prf, sas } = scenario
  const skEi = after(events, index, 'Sk_ei secret')
  const sa = sas.find(({ initiator }) => toHex(initiator.encrKey) === skEi)
  if (sa === undefined) throw new Error('no SPIs for this key')
  const { cipher, integ } = sa.initiator
  const keys = deriveIkeKeys({ prf, cipher, integ }, { ...input, spiI: sa.spiI as IkeSpi, spiR: sa.spiR as IkeSpi })
  expect(toHex(keys.skD)).toBe(after(events, index, 'Sk_d secret'))
  expect(toHex(keys.skEi)).toBe(skEi)
  expect(toHex(keys.skEr)).toBe(after(events, index, 'Sk_er secret'))
  expect(toHex(keys.skPi)).toBe(after(events, index, 'Sk_pi secret'))
  expect(toHex(keys.skPr)).toBe(after(events, index, 'Sk_pr secret'))
  expect(toHex(keys.skAi)).toBe(integ === null ? '' : after(events, index, 'Sk_ai secret'))
  expect(toHex(keys.skAr)).toBe(integ === null ? '' : after(events, index, 'Sk_ar secret'))
  return keys
}

/**
 * IntAuth of the messages of IKE_INTERMEDIATE, as the capture has them.
 *
 * @returns what may stand at the end of the signed octets: nothing, or both chains in either order.
 */
function checkIntAuth({ events, messages, prf, sas }: Scenario): readonly Uint8Array[] {
  const chains: Uint8Array[] = []
  for (const [index, event] of events.entries()) {
    if (event.label !== 'IntAuth_A|P') continue
    expect(intermediateOctets(messages, sas)).toContain(event.hex)
    const previous = hexBytes(before(events, index, 'IntAuth_N-1'))
    const chain = nextIntAuth(prf, hexBytes(after(events, index, 'SK_p')), previous, hexBytes(event.hex))
    expect(toHex(chain)).toBe(after(events, index, 'IntAuth_N = prf(Sk_px, data)'))
    chains.push(chain)
    counted.intAuths++
  }
  const [first, second] = chains
  if (first === undefined || second === undefined) return [new Uint8Array(0)]
  return [intAuthOf(first, second, 2), intAuthOf(second, first, 2)]
}

/** A | P of every IKE_INTERMEDIATE message, put together from its fragments. */
function intermediateOctets(messages: readonly Uint8Array[], sas: readonly CapturedIkeSa[]): readonly string[] {
  const whole: string[] = []
  let set: FragmentSet | null = null
  let head = new Uint8Array(0)
  for (const bytes of messages) {
    const message = decodeMessage(bytes)
    if (!message.ok || message.value.header.exchangeType !== EXCHANGE.IKE_INTERMEDIATE) continue
    const { sealed, header } = message.value
    const plaintext = sas
      .map((sa) => openMessage(bytes, message.value, header.fromOriginalInitiator ? sa.initiator : sa.responder))
      .find((opened) => opened.ok)
    if (sealed === null || !plaintext?.ok) throw new Error('no keys for IKE_INTERMEDIATE')
    if (sealed.fragmentNumber <= 1) head = bytes.slice(0, 32)
    const added: AddedFragment | null = sealed.totalFragments === 0 ? null : addFragment(set, sealed, plaintext.value)
    set = added?.set ?? null
    const complete = added === null ? { innerType: sealed.innerType, bytes: plaintext.value } : added.complete
    if (complete === null) continue
    const octets = receivedOctets({ head, innerType: complete.innerType, content: complete.bytes })
    if (octets !== null) whole.push(toHex(octets))
  }
  return whole
}

/** Signed octets from the first messages of the capture, then AUTH. */
function checkAuthentication({ events, messages, prf }: Scenario, intAuths: readonly Uint8Array[]): void {
  const firsts = messages.filter((octets) => isFirstMessage(octets))
  for (const [index, event] of events.entries()) {
    if (!event.label.startsWith('octets = ')) continue
    const skP = hexBytes(before(events, index, 'SK_p'))
    const idBody = hexBytes(before(events, index, "IDx'"))
    const realMessage = firsts.find((octets) => event.hex.startsWith(toHex(octets)))
    if (realMessage === undefined) throw new Error('the signed message is not in the capture')
    const peerNonces = firsts.map(nonceOf).filter((nonce) => nonce !== undefined)
    const candidates = peerNonces.flatMap((peerNonce) =>
      intAuths.map((intAuth) => concatBytes(...signedOctets(prf, { realMessage, peerNonce, skP, idBody, intAuth }))),
    )
    const octets = candidates.find((candidate) => toHex(candidate) === event.hex)
    expect(octets).toBeDefined()
    const isShared = events[index + 1]?.label === 'secret'
    if (octets === undefined || !isShared) continue
    const secret = hexBytes(after(events, index, 'secret'))
    const auth = after(events, index, 'AUTH = prf(prf(secret, keypad), octets)')
    expect(toHex(sharedKeyAuth(prf, secret, octets))).toBe(auth)
    counted.auths++
  }
}

/** Every Child SA comes from exactly one of the SK_d; its seed is g^ir | Ni | Nr. */
function checkChildKeys({ provider, events, prf }: Scenario, skDs: readonly Uint8Array[]): void {
  for (const [index, event] of events.entries()) {
    if (event.label !== 'seed') continue
    const additional = before(events, index, 'additional key exchange secret')
    expect(event.hex.endsWith(additional)).toBe(true)
    const encrI = after(events, index, 'encryption initiator key')
    const encrR = after(events, index, 'encryption responder key')
    const hasMac = events[index + 3]?.label === 'integrity initiator key'
    const suite = childSuite(provider, encrI.length / 2, hasMac)
    const derived = skDs.map((skD) =>
      deriveChildKeys(prf, skD, suite, { nonceI: hexBytes(event.hex), nonceR: new Uint8Array(0) }),
    )
    const keys = derived.find(({ initiator }) => toHex(initiator.encrKey) === encrI)
    expect(keys && toHex(keys.responder.encrKey)).toBe(encrR)
    if (hasMac) {
      const { initiator, responder } = keys!
      const macs = [after(events, index, 'integrity initiator key'), after(events, index, 'integrity responder key')]
      expect([toHex(initiator.integKey), toHex(responder.integKey)]).toEqual(macs)
    }
    counted.childSas++
  }
}

/** By length of key and salt: AES-GCM 128 (20), AES-GCM 256 and ChaCha20 (36, cut alike), AES-CBC 256 beside a MAC (32). */
function childSuite(
  provider: CryptoProvider,
  keyBytes: number,
  hasMac: boolean,
): Parameters<typeof deriveChildKeys>[2] {
  const [id, keyBits]: readonly [number, number] = hasMac ? [ENCR.AES_CBC, 256] : [ENCR.AES_GCM_16, (keyBytes - 4) * 8]
  const cipher = provider.cipher(id, keyBits)
  if (cipher === null) throw new Error('unknown Child SA cipher')
  return { cipher, integ: hasMac ? provider.integrity(INTEG.HMAC_SHA2_256_128) : null }
}

/** The value with this label closest before (after) an event. */
function before(events: readonly DerivationEvent[], index: number, label: string): string {
  return events.slice(0, index).findLast((event) => event.label === label)?.hex ?? ''
}

function after(events: readonly DerivationEvent[], index: number, label: string): string {
  return events.slice(index).find((event) => event.label === label)?.hex ?? ''
}

function isFirstMessage(octets: Uint8Array): boolean {
  return octets[18] === 34
}

function nonceOf(octets: Uint8Array): Uint8Array | undefined {
  const message = decodeMessage(octets)
  const isNonce = (payload: Payload): payload is Extract<Payload, { kind: 'nonce' }> => payload.kind === 'nonce'
  return message.ok ? message.value.payloads.find(isNonce)?.data : undefined
}

function hasInitNonces(messages: readonly Uint8Array[], nonces: Uint8Array): boolean {
  const seen = messages
    .filter(isFirstMessage)
    .map(nonceOf)
    .filter((nonce) => nonce !== undefined)
  const joined = seen.flatMap((nonceI) => seen.map((nonceR) => toHex(concatBytes(nonceI, nonceR))))
  return joined.includes(toHex(nonces))
}
