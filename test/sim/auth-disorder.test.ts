/**
 * Peers with keys of IKE_SA_INIT and without a proof, in every order: whatever they send, nobody is attached, every EAP run is ended
 * exactly once, and nothing is left behind when the half-open SA expires. The seeds are fixed.
 */
import { AUTH_METHOD, EXCHANGE, NOTIFY, type Payload } from '@culvert/ikev2'
import { expect, test } from 'vitest'
import { EapScript, eapPacket, eapResponse, MSK } from './eap-script.ts'
import { notify } from './forge.ts'
import { HandPeer } from './hand-peer.ts'
import { Network } from './network.ts'
import { Node } from './node.ts'
import { grantEverything, PSK } from './pair.ts'
import { keyPair, signer } from './signers.ts'

const RUNS = 150
const STEPS = 8
const WRONG = new Uint8Array(32).fill(7)

type Move = (peer: HandPeer) => { readonly payloads: readonly Payload[]; readonly exchangeType: number }

const auth = (payloads: (peer: HandPeer) => readonly Payload[]): Move => {
  return (peer) => ({ payloads: payloads(peer), exchangeType: EXCHANGE.IKE_AUTH })
}
const other = (exchangeType: number, payloads: readonly Payload[]): Move => {
  return () => ({ payloads, exchangeType })
}

const MOVES: readonly Move[] = [
  auth((peer) => peer.firstRequest()),
  auth((peer) => peer.firstRequest(notify(NOTIFY.EAP_ONLY_AUTHENTICATION))),
  auth((peer) => peer.firstRequest(peer.sharedKeyAuth(WRONG))),
  auth((peer) => peer.firstRequest({ kind: 'auth', method: AUTH_METHOD.DIGITAL_SIGNATURE, data: WRONG })),
  auth(() => [eapResponse(1)]),
  auth(() => [eapResponse(1)]),
  auth(() => [eapResponse(2)]),
  auth(() => [eapResponse(9)]),
  auth(() => [{ kind: 'eap', data: eapPacket(3, 1, 4) }]),
  auth((peer) => [eapResponse(1), peer.sharedKeyAuth(WRONG)]),
  auth((peer) => [peer.sharedKeyAuth(WRONG)]),
  auth((peer) => [peer.sharedKeyAuth(peer.skPi())]),
  auth(() => []),
  auth(() => [{ kind: 'unknown', type: 250, data: WRONG }]),
  other(EXCHANGE.CREATE_CHILD_SA, [{ kind: 'nonce', data: WRONG }]),
  other(EXCHANGE.INFORMATIONAL, [{ kind: 'delete', protocolId: 1, spis: [] }]),
  other(EXCHANGE.IKE_SA_INIT, []),
]

test('C37 N25 no order of messages attaches a peer without a proof', () => {
  for (let seed = 1; seed <= RUNS; seed += 1) {
    const network = new Network(seed)
    const concentrator = new Node(network, { name: 'con', address: '203.0.113.1' })
    const script = new EapScript({ rounds: 2, end: seed % 3 === 0 ? 'failure' : 'success' })
    let finished = 0
    concentrator.answerTo = (question) => {
      if (question.kind === 'eap') {
        const answer = script.answer(question)
        if (answer.kind === 'eap' && answer.outcome !== 'continue') finished += 1
        return answer
      }
      if (question.kind !== 'credential') return grantEverything(question)
      const candidates = [
        { kind: 'eap', id: null, withoutOurProof: seed % 2 === 0 },
        { kind: 'psk', id: 'crd_1', secret: PSK },
        { kind: 'publicKey', id: 'crd_2', key: keyPair('p256', 'dev').verifying },
      ] as const
      return { kind: 'credential', found: { subject: 'dev_1', candidates, signer: signer('p256', 'con') } }
    }
    const peer = new HandPeer(network, concentrator.address)
    peer.init([notify(NOTIFY.SIGNATURE_HASH_ALGORITHMS, Uint8Array.of(0, 2))])
    let messageId = 1
    for (let step = 0; step < STEPS; step += 1) {
      const move = MOVES[step === 0 ? seed % 2 : network.random.below(MOVES.length)]
      if (move === undefined) throw new Error('there is one')
      const { payloads, exchangeType } = move(peer)
      peer.messageId = messageId
      if (peer.askAs(messageId, payloads, exchangeType, 100) !== null) messageId += 1
    }
    expect(concentrator.eventsOf('established')).toEqual([])
    expect(concentrator.questions.some(({ kind }) => kind === 'attach')).toBe(false)
    network.run(120_000)
    expect(concentrator.endpoint.size).toEqual({ established: 0, halfOpen: 0 })
    expect(concentrator.endedEap.length + finished).toBe(script.started.length)
    expect(concentrator.pendingSpis).toBe(0)
    expect(MSK.every((octet) => octet === 0x5a)).toBe(true)
  }
})
