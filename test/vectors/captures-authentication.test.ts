/**
 * AUTH payloads of recorded strongSwan peers, from the datagrams alone: messages are decoded, opened and put together, the octets
 * that AUTH covers are made of them, and each proof is checked with the key that was used: a certificate in the CERT payload,
 * a shared key, the key EAP made, a post-quantum preshared key.
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { opensslProvider, type Prf, PRF, type VerifyingKey, verifyingKey } from '@culvert/crypto'
import { concatBytes, toHex } from '@culvert/bytes'
import {
  addFragment,
  AUTH_METHOD,
  CERT_ENCODING,
  decodeMessage,
  decodePayloads,
  deriveChildKeys,
  ENCR,
  EXCHANGE,
  type FragmentSet,
  identityBody,
  isSignedBy,
  type Message,
  mixPpk,
  NOTIFY,
  openMessage,
  type Payload,
  peerSignature,
  readHashes,
  sharedKeyAuth,
  signedOctets,
} from '@culvert/ikev2'
import { describe, expect, it } from 'vitest'
import { hexBytes, ikeMessageOf, loadDatagrams, loadDerivation, loadIkeSas, scenarioNames } from './capture-scenario.ts'

const counted = { signatures: 0, sharedKeys: 0, refused: 0 }
const NONE = new Uint8Array(0)

type Side = 'initiator' | 'responder'

/** One side's way through IKE_AUTH. */
interface Proof {
  readonly side: Side
  readonly octets: (skP: Uint8Array) => Uint8Array
  readonly auth: Extract<Payload, { kind: 'auth' }>
  /** Payloads of the message with AUTH. */
  readonly payloads: readonly Payload[]
  /** Of everything this side sent in IKE_AUTH. */
  readonly all: readonly Payload[]
}

interface Scenario {
  readonly prf: Prf
  readonly skP: Readonly<Record<Side, Uint8Array>>
  readonly proofs: readonly Proof[]
  /** What both ends announced for method 14. */
  readonly hashes: ReturnType<typeof readHashes> | null
  readonly init: readonly Message[]
}

const PRF_OF_BYTES: Readonly<Record<number, number>> = {
  20: PRF.HMAC_SHA1,
  32: PRF.HMAC_SHA2_256,
  48: PRF.HMAC_SHA2_384,
  64: PRF.HMAC_SHA2_512,
}

function load(name: string): Scenario {
  const prf = opensslProvider.prf(PRF_OF_BYTES[secret(name, 'Sk_pi secret').length] ?? 0)
  if (prf === null) throw new Error('unknown PRF')
  const messages = loadDatagrams(name)
    .map(ikeMessageOf)
    .filter((octets) => octets !== null)
    .map((octets) => ({ octets, message: decoded(octets) }))
  const first = (isResponse: boolean): { octets: Uint8Array; message: Message } => {
    const found = messages.findLast(
      ({ message: { header } }) => header.exchangeType === EXCHANGE.IKE_SA_INIT && header.isResponse === isResponse,
    )
    if (found === undefined) throw new Error('no IKE_SA_INIT')
    return found
  }
  const [request, response] = [first(false), first(true)]
  const sent = { initiator: payloadsOf(name, messages, false), responder: payloadsOf(name, messages, true) }
  const proofs = (['initiator', 'responder'] as const).flatMap((side) =>
    sent[side].flatMap((payloads): Proof[] => {
      const auth = payloads.find((payload) => payload.kind === 'auth')
      if (auth?.kind !== 'auth') return []
      const idBody = idBodyOf(sent[side].flat(), side)
      const [own, other] = side === 'initiator' ? [request, response] : [response, request]
      const octets = (skP: Uint8Array): Uint8Array =>
        concatBytes(...signedOctets(prf, { realMessage: own.octets, peerNonce: nonceOf(other.message), skP, idBody }))
      return [{ side, octets, auth, payloads, all: sent[side].flat() }]
    }),
  )
  const announced = [request, response].map(({ message }) =>
    notifyData(message.payloads, NOTIFY.SIGNATURE_HASH_ALGORITHMS),
  )
  const [peers] = announced
  return {
    prf,
    skP: { initiator: secret(name, 'Sk_pi secret'), responder: secret(name, 'Sk_pr secret') },
    proofs,
    hashes: announced.includes(null) || peers === undefined || peers === null ? null : readHashes(peers),
    init: [request.message, response.message],
  }
}

/** The payloads of every IKE_AUTH message of one side, in order. */
function payloadsOf(
  name: string,
  messages: readonly { octets: Uint8Array; message: Message }[],
  isResponse: boolean,
): readonly (readonly Payload[])[] {
  const [sa] = loadIkeSas(name, opensslProvider)
  if (sa === undefined) throw new Error('no keys')
  const fragments = new Map<number, FragmentSet | null>()
  const found: (readonly Payload[])[] = []
  for (const { octets, message } of messages) {
    const { header, sealed } = message
    if (header.exchangeType !== EXCHANGE.IKE_AUTH || header.isResponse !== isResponse || sealed === null) continue
    const opened = openMessage(octets, message, isResponse ? sa.responder : sa.initiator)
    if (!opened.ok) throw new Error('no key opens it')
    if (sealed.totalFragments === 0) found.push(inner(sealed.innerType, opened.value))
    else {
      const { set, complete } = addFragment(fragments.get(header.messageId) ?? null, sealed, opened.value)
      fragments.set(header.messageId, set)
      if (complete !== null) found.push(inner(complete.innerType, complete.bytes))
    }
  }
  return found
}

const signed = scenarioNames().filter((name) => /^0[5-9]-|^10-|^19-fail-(cert|eap)/.test(name))
const shared = scenarioNames().filter((name) => /^19-fail-(unknown|wrong|no-virtual|ts|child)/.test(name))

describe('signatures of strongSwan', () => {
  it.each(signed)('C27 %s: signed over the messages as they were sent (RFC 7427)', (name) => {
    const { proofs, skP, hashes } = load(name)
    for (const { side, octets, auth, all } of proofs) {
      if (auth.method === AUTH_METHOD.SHARED_KEY_MIC) continue
      const signature = peerSignature(auth.method, auth.data, hashes)
      if (signature === null) throw new Error('not a signature')
      const covered = octets(skP[side])
      expect(isSignedBy(certificateKey(all), signature, covered)).toBe(true)
      expect(isSignedBy(pemKey(name, side), signature, covered)).toBe(true)
      expect(isSignedBy(pemKey(name, side), signature, octets(new Uint8Array(32)))).toBe(false)
      counted.signatures++
    }
    expect(proofs.length).toBeGreaterThan(0)
  })

  it.each(signed.filter((name) => /^08|^09|^10/.test(name)))('C34 %s: both ends prove the key EAP made', (name) => {
    const { proofs, skP, prf } = load(name)
    const msk = secret(name, 'secret')
    const last = proofs.filter(({ auth }) => auth.method === AUTH_METHOD.SHARED_KEY_MIC)
    expect(last.map(({ side }) => side)).toEqual(['initiator', 'responder'])
    for (const { side, octets, auth } of last) {
      expect(toHex(sharedKeyAuth(prf, msk, octets(skP[side])))).toBe(toHex(auth.data))
      counted.sharedKeys++
    }
  })
})

describe('shared keys of strongSwan', () => {
  it.each(shared)('C28 %s: a shared key through the key pad', (name) => {
    const { proofs, skP, prf } = load(name)
    const { psk, psk_initiator: ownPsk = psk } = parameters(name)
    for (const { side, octets, auth } of proofs) {
      const covered = octets(skP[side])
      expect(toHex(sharedKeyAuth(prf, text(side === 'initiator' ? ownPsk : psk), covered))).toBe(toHex(auth.data))
      if (ownPsk !== psk) expect(toHex(sharedKeyAuth(prf, text(psk), covered))).not.toBe(toHex(auth.data))
      counted.sharedKeys++
    }
    expect(proofs.length).toBeGreaterThan(0)
  })

  it.each(['19-fail-unknown-id', '19-fail-wrong-psk', '19-fail-cert-untrusted'])(
    'C32 %s: AUTHENTICATION_FAILED and nothing more',
    (name) => {
      const messages = loadDatagrams(name)
        .map(ikeMessageOf)
        .filter((octets) => octets !== null)
        .map((octets) => ({ octets, message: decoded(octets) }))
      const [answer] = payloadsOf(name, messages, true)
      expect(answer).toMatchObject([{ kind: 'notify', type: NOTIFY.AUTHENTICATION_FAILED }])
      expect(answer).toHaveLength(1)
      counted.refused++
    },
  )
})

describe('RFC 8784 post-quantum preshared keys of strongSwan', () => {
  it('16-ppk: AUTH with mixed SK_p, then mixed SK_d for the Child SA', () => {
    const { proofs, skP, prf, init } = load('16-ppk')
    const { psk, ppk } = parameters('16-ppk')
    const mixed = hexBytes(ppk?.secret ?? '')
    for (const { side, octets, auth, payloads } of proofs) {
      const skPMixed = mixPpk(prf, mixed, skP[side])
      expect(toHex(sharedKeyAuth(prf, text(psk), octets(skPMixed)))).toBe(toHex(auth.data))
      expect(toHex(sharedKeyAuth(prf, text(psk), octets(skP[side])))).not.toBe(toHex(auth.data))
      expect(notifyData(payloads, NOTIFY.PPK_IDENTITY)?.length).toBe(side === 'initiator' ? 1 + 16 : 0)
      counted.sharedKeys++
    }
    const events = loadDerivation('16-ppk')
    const later = events.slice(events.findIndex(({ label }) => label === 'derive keys using PPK'))
    const skD = mixPpk(prf, mixed, secret('16-ppk', 'Sk_d secret'))
    expect(toHex(skD)).toBe(later.find(({ label }) => label === 'Sk_d secret')?.hex)
    expect(toHex(mixPpk(prf, mixed, skP.initiator))).toBe(later.find(({ label }) => label === 'Sk_pi secret')?.hex)
    expect(toHex(mixPpk(prf, mixed, skP.responder))).toBe(later.find(({ label }) => label === 'Sk_pr secret')?.hex)
    const cipher = opensslProvider.cipher(ENCR.AES_GCM_16, 128)
    if (cipher === null) throw new Error('no cipher')
    const [nonceI = NONE, nonceR = NONE] = init.map(nonceOf)
    const child = deriveChildKeys(prf, skD, { cipher, integ: null }, { nonceI, nonceR })
    expect(toHex(child.initiator.encrKey)).toBe(later.find(({ label }) => label === 'encryption initiator key')?.hex)
  })

  it('16-ppk-optional-unknown: AUTH with mixed SK_pi, NO_PPK_AUTH with the plain one, the answer plain', () => {
    const name = '16-ppk-optional-unknown'
    const { proofs, skP, prf } = load(name)
    const { psk, ppk } = parameters(name)
    const [ours, theirs] = proofs
    if (ours === undefined || theirs === undefined) throw new Error('two proofs')
    const skPiMixed = mixPpk(prf, hexBytes(ppk?.secret ?? ''), skP.initiator)
    const plain = sharedKeyAuth(prf, text(psk), ours.octets(skP.initiator))
    expect(toHex(sharedKeyAuth(prf, text(psk), ours.octets(skPiMixed)))).toBe(toHex(ours.auth.data))
    expect(toHex(notifyData(ours.payloads, NOTIFY.NO_PPK_AUTH) ?? NONE)).toBe(toHex(plain))
    expect(toHex(sharedKeyAuth(prf, text(psk), theirs.octets(skP.responder)))).toBe(toHex(theirs.auth.data))
    expect(notifyData(theirs.payloads, NOTIFY.PPK_IDENTITY)).toBeNull()
    counted.sharedKeys += 3
  })
})

it('saw every proof', () => {
  expect(counted).toEqual({ signatures: 20, sharedKeys: 23, refused: 3 })
})

interface Parameters {
  readonly psk: string
  readonly psk_initiator?: string
  readonly ppk?: { readonly secret: string }
}

function parameters(name: string): Parameters {
  return JSON.parse(readFileSync(new URL(`./captures/${name}/params.json`, import.meta.url), 'utf8')) as Parameters
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

function secret(name: string, label: string): Uint8Array {
  return hexBytes(loadDerivation(name).find((event) => event.label === label)?.hex ?? '')
}

function decoded(octets: Uint8Array): Message {
  const message = decodeMessage(octets)
  if (!message.ok) throw new Error(message.error.code)
  return message.value
}

function inner(firstType: number, plaintext: Uint8Array): readonly Payload[] {
  const payloads = decodePayloads(firstType, plaintext)
  if (!payloads.ok) throw new Error(payloads.error.code)
  return payloads.value
}

function nonceOf({ payloads }: Message): Uint8Array {
  const nonce = payloads.find((payload) => payload.kind === 'nonce')
  return nonce?.kind === 'nonce' ? nonce.data : NONE
}

function idBodyOf(payloads: readonly Payload[], side: Side): Uint8Array {
  const kind = side === 'initiator' ? 'idI' : 'idR'
  for (const payload of payloads) {
    if ((payload.kind === 'idI' || payload.kind === 'idR') && payload.kind === kind) {
      return identityBody(payload.id, payload.reserved)
    }
  }
  throw new Error('no identity')
}

function notifyData(payloads: readonly Payload[], type: number): Uint8Array | null {
  for (const payload of payloads) if (payload.kind === 'notify' && payload.type === type) return payload.data
  return null
}

function certificateKey(payloads: readonly Payload[]): VerifyingKey {
  const certificate = payloads.find((payload) => payload.kind === 'cert')
  if (certificate?.kind !== 'cert' || certificate.encoding !== CERT_ENCODING.X509_SIGNATURE) throw new Error('no CERT')
  return keyOf(certificate.data)
}

function pemKey(name: string, side: Side): VerifyingKey {
  const file = side === 'initiator' ? 'd1.pem' : 'gw.pem'
  return keyOf(readFileSync(new URL(`./captures/${name}/certs/${file}`, import.meta.url)))
}

function keyOf(certificate: Uint8Array): VerifyingKey {
  const spki = new X509Certificate(certificate).publicKey.export({ format: 'der', type: 'spki' })
  const key = verifyingKey(new Uint8Array(spki))
  if (key === null) throw new Error('not a key we take')
  return key
}
