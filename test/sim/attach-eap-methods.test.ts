/**
 * The EAP methods of `packages/eap` inside IKE_AUTH, both sides: the core carries them, and the key they make proves both ends.
 * Certificates are those of a recording.
 */
import { readFileSync } from 'node:fs'
import {
  createEapAuthenticator,
  createEapPeer,
  createMschapMethod,
  createMschapPeerMethod,
  createTlsMethod,
  createTlsPeerMethod,
  type EapMethod,
  type EapPeer,
  type EapPeerMethod,
  type EapStep,
  ntHash,
} from '@culvert/eap'
import { type Answer, NOTIFY, type Payload } from '@culvert/ikev2'
import { expect, test } from 'vitest'
import { notify } from './forge.ts'
import { HandPeer, kindsOf, payloadOf } from './hand-peer.ts'
import { Network } from './network.ts'
import { Node } from './node.ts'
import { grantEverything } from './pair.ts'
import { signer } from './signers.ts'

const USER = 'dev.test'
const PASSWORD = 'a long enough password'

function pem(file: string): string {
  return readFileSync(new URL(`../vectors/captures/08-eap-tls13/certs/${file}`, import.meta.url), 'utf8')
}

function mschap(password: string): readonly [EapMethod, EapPeerMethod] {
  const secretFor = (name: string): Promise<Uint8Array | null> =>
    Promise.resolve(name === USER ? ntHash(PASSWORD) : null)
  return [createMschapMethod({ serverName: 'con', secretFor }), createMschapPeerMethod({ userName: USER, password })]
}

function tls(version: 'TLSv1.2' | 'TLSv1.3', isTrusted: boolean): readonly [EapMethod, EapPeerMethod] {
  const versions = { least: version, most: version }
  return [
    createTlsMethod({
      certificate: { chain: pem('gw.pem'), key: pem('gw.key') },
      versions,
      verifyChain: () => Promise.resolve(isTrusted ? { subject: USER } : null),
    }),
    createTlsPeerMethod({
      certificate: { chain: pem('d1.pem'), key: pem('d1.key') },
      versions,
      verifyChain: () => Promise.resolve(true),
    }),
  ]
}

/** The answer of the driver to the question under way. */
function answerOf(step: EapStep): Answer {
  if (step.outcome !== 'success') return { kind: 'eap', outcome: step.outcome, packet: step.packet }
  const { packet, msk, identity: subject, method: credential } = step
  return { kind: 'eap', outcome: 'success', packet, msk, subject, credential }
}

interface Outcome {
  readonly concentrator: Node
  readonly last: readonly Payload[] | null
}

async function attach([method, peerMethod]: readonly [EapMethod, EapPeerMethod]): Promise<Outcome> {
  const network = new Network(5)
  const rng = network.random.bytes
  const authenticator = createEapAuthenticator({ methods: [method], askIdentity: true, claimedIdentity: USER, rng })
  const eapPeer = createEapPeer({ identity: USER, methods: [peerMethod], rng })
  const concentrator = new Node(network, { name: 'con', address: '203.0.113.1' })
  let step = await authenticator.next(null)
  concentrator.answerTo = (question) => {
    if (question.kind === 'eap') return answerOf(step)
    if (question.kind !== 'credential') return grantEverything(question)
    const candidates = [{ kind: 'eap', id: null, withoutOurProof: false }] as const
    return { kind: 'credential', found: { subject: null, candidates, signer: signer('p256', 'con') } }
  }
  const peer = new HandPeer(network, concentrator.address)
  peer.init([notify(NOTIFY.SIGNATURE_HASH_ALGORITHMS, Uint8Array.of(0, 2))])
  const { msk, last } = await runEap(peer, eapPeer, async (packet) => {
    step = await authenticator.next(packet)
  })
  authenticator.close()
  eapPeer.close()
  return { concentrator, last: msk === null ? last : peer.ask([peer.sharedKeyAuth(msk)]) }
}

/** Round after round until the peer's method has its end. */
async function runEap(
  peer: HandPeer,
  eapPeer: EapPeer,
  advance: (packet: Uint8Array) => Promise<void>,
): Promise<{ msk: Uint8Array | null; last: readonly Payload[] | null }> {
  let last = peer.ask(peer.firstRequest())
  for (;;) {
    // one round depends on the one before
    const answer = await eapPeer.next(payloadOf(last, 'eap').data)
    if (answer.outcome !== 'continue') return { msk: answer.outcome === 'success' ? answer.msk : null, last }
    await advance(answer.packet)
    last = peer.ask([{ kind: 'eap', data: answer.packet }])
  }
}

test.each([
  ['EAP-MSCHAPv2', () => mschap(PASSWORD), 'mschapv2'],
  ['EAP-TLS with TLS 1.2', () => tls('TLSv1.2', true), 'tls'],
  ['EAP-TLS with TLS 1.3', () => tls('TLSv1.3', true), 'tls'],
])('%s attaches, and its key proves both ends', async (_name, methods, credential) => {
  const { concentrator, last } = await attach(methods())
  expect(kindsOf(last)?.[0]).toBe('auth')
  expect(concentrator.eventsOf('established')).toMatchObject([{ subject: USER, credential, proof: 'eap' }])
  expect(concentrator.endedEap).toEqual([])
})

test.each([
  ['a wrong password', () => mschap('another password')],
  ['a certificate nobody trusts', () => tls('TLSv1.3', false)],
])('%s ends with EAP-Failure', async (_name, methods) => {
  const { concentrator, last } = await attach(methods())
  expect(kindsOf(last)).toEqual(['eap'])
  expect(concentrator.endpoint.size.established).toBe(0)
})
