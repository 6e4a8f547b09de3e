/**
 * IKE_AUTH with EAP, message by message (RFC 7296 2.16, RFC 5998), and what a hostile peer can do between its rounds.
 */
import {
  type Answer,
  AUTH_METHOD,
  defaultEspSuites,
  defaultIkeSuites,
  type EndpointConfig,
  EXCHANGE,
  type FoundCredential,
  NOTIFY,
  type Payload,
  type Question,
  readSignature,
  sharedKeyAuth,
} from '@culvert/ikev2'
import { describe, expect, test } from 'vitest'
import { EapScript, eapPacket, eapResponse, MSK } from './eap-script.ts'
import { notify } from './forge.ts'
import { HandPeer, kindsOf, payloadOf } from './hand-peer.ts'
import { Network } from './network.ts'
import { fqdn, Node } from './node.ts'
import { grantEverything, PSK } from './pair.ts'
import { keyPair, signer } from './signers.ts'

const HASHES = notify(NOTIFY.SIGNATURE_HASH_ALGORITHMS, Uint8Array.of(0, 2, 0, 3, 0, 4, 0, 5))
const EAP_ONLY = notify(NOTIFY.EAP_ONLY_AUTHENTICATION)
const FAILED = [`notify ${NOTIFY.AUTHENTICATION_FAILED}`]
const REALM: FoundCredential = {
  subject: null,
  candidates: [{ kind: 'eap', id: null, withoutOurProof: false }],
  signer: signer('p256', 'con'),
}
const EAP_ONLY_REALM: FoundCredential = { ...REALM, candidates: [{ kind: 'eap', id: null, withoutOurProof: true }] }

interface Scene {
  readonly network: Network
  readonly concentrator: Node
  readonly peer: HandPeer
  readonly script: EapScript
}

interface SceneOptions {
  readonly script?: EapScript
  readonly credential?: Omit<Extract<Answer, { kind: 'credential' }>, 'kind'>
  readonly init?: readonly Payload[]
  readonly config?: Partial<EndpointConfig>
}

function createScene({
  script = new EapScript(),
  credential = { found: REALM },
  init = [HASHES],
  config = {},
}: SceneOptions = {}): Scene {
  const network = new Network(5)
  const concentrator = new Node(network, { name: 'con', address: '203.0.113.1', config })
  concentrator.answerTo = (question: Question) => {
    if (question.kind === 'credential') return { kind: 'credential', ...credential }
    return question.kind === 'eap' ? script.answer(question) : grantEverything(question)
  }
  const peer = new HandPeer(network, concentrator.address)
  peer.init(init)
  return { network, concentrator, peer, script }
}

/** Up to EAP(success). */
function throughEap(options: SceneOptions = {}): Scene {
  const scene = createScene(options)
  scene.peer.ask(scene.peer.firstRequest())
  scene.peer.ask([eapResponse(1)])
  const last = scene.peer.ask([eapResponse(2)])
  expect(payloadOf(last, 'eap').data).toEqual(eapPacket(3, 2, 4))
  return scene
}

test('C34 the responder proves itself first, then EAP, then both ends prove the key it made', () => {
  const { peer, concentrator, script } = createScene()
  const first = peer.ask(peer.firstRequest())
  expect(kindsOf(first)).toEqual(['idR', 'cert', 'auth', 'eap'])
  const signature = readSignature(payloadOf(first, 'auth').data)
  if (signature === null) throw new Error('it is of method 14')
  const octets = peer.responderOctets(payloadOf(first, 'idR').id)
  expect(keyPair('p256', 'con').verifying.verify(signature.scheme, octets, signature.value)).toBe(true)
  expect(kindsOf(peer.ask([eapResponse(1)]))).toEqual(['eap'])
  const success = peer.ask([eapResponse(2)])
  expect(kindsOf(success)).toEqual(['eap'])
  expect(payloadOf(success, 'eap').data).toEqual(eapPacket(3, 2, 4))
  expect(concentrator.eventsOf('established')).toEqual([])
  const last = peer.ask([peer.sharedKeyAuth(MSK)])
  expect(kindsOf(last)).toEqual(['auth', 'cp', 'sa', 'tsI', 'tsR'])
  expect(payloadOf(last, 'auth')).toEqual({
    kind: 'auth',
    method: AUTH_METHOD.SHARED_KEY_MIC,
    data: sharedKeyAuth(peer.prf, MSK, octets),
  })
  expect(concentrator.eventsOf('established')).toMatchObject([
    { subject: 'dev_eap', credential: 'crd_eap', proof: 'eap' },
  ])
  expect(concentrator.questions.map(({ kind }) => kind)).toEqual(['credential', 'eap', 'eap', 'eap', 'attach'])
  expect(concentrator.questions.at(-1)).toMatchObject({ proof: 'eap', subject: 'dev_eap', credential: 'crd_eap' })
  expect(concentrator.questions[0]).toMatchObject({ proof: 'eap', eapOnly: false, certificates: [] })
  expect(script.heard).toEqual([eapPacket(2, 1, 5), eapPacket(2, 2, 5)])
  expect(concentrator.endedEap).toEqual([])
})

test('C34 a method that makes no key: AUTH is made with SK_pi and SK_pr (RFC 7296 2.16)', () => {
  const { peer, concentrator } = throughEap({ script: new EapScript({ msk: null }) })
  const last = peer.ask([peer.sharedKeyAuth(peer.skPi())])
  const octets = peer.responderOctets(fqdn('con.test'))
  expect(payloadOf(last, 'auth').data).toEqual(sharedKeyAuth(peer.prf, peer.skPr, octets))
  expect(concentrator.eventsOf('established')).toHaveLength(1)
})

test('C34 an AUTH payload without the key of EAP is refused', () => {
  for (const secret of [PSK, new Uint8Array(64)]) {
    const { peer, concentrator } = throughEap()
    expect(kindsOf(peer.ask([peer.sharedKeyAuth(secret)]))).toEqual(FAILED)
    expect(concentrator.eventsOf('attemptFailed')).toMatchObject([{ stage: 'eap', reason: 'authenticationFailed' }])
    expect(concentrator.endpoint.size.established).toBe(0)
  }
  const { peer, concentrator } = throughEap()
  expect(kindsOf(peer.ask([peer.sharedKeyAuth(peer.skPi())]))).toEqual(FAILED)
  expect(concentrator.endpoint.size.established).toBe(0)
})

test('C32 a failure of the method is told in EAP, without a notify, and repeated alike', () => {
  const { peer, concentrator } = createScene({ script: new EapScript({ end: 'failure' }) })
  peer.ask(peer.firstRequest())
  peer.ask([eapResponse(1)])
  const end = peer.ask([eapResponse(2)])
  expect(kindsOf(end)).toEqual(['eap'])
  expect(payloadOf(end, 'eap').data).toEqual(eapPacket(4, 2, 4))
  expect(concentrator.eventsOf('attemptFailed')).toMatchObject([{ stage: 'eap', idI: fqdn('dev.test'), subject: null }])
  expect(peer.ask([peer.sharedKeyAuth(MSK)])).toBeNull()
  expect(concentrator.endedEap).toEqual([])
})

describe('EAP only (RFC 5998)', () => {
  test('the responder leaves its own proof out when the peer and the credential say so', () => {
    const { peer, concentrator } = createScene({ credential: { found: EAP_ONLY_REALM } })
    expect(kindsOf(peer.ask(peer.firstRequest(EAP_ONLY)))).toEqual(['idR', 'eap'])
    expect(concentrator.questions[0]).toMatchObject({ eapOnly: true })
    peer.ask([eapResponse(1)])
    peer.ask([eapResponse(2)])
    expect(kindsOf(peer.ask([peer.sharedKeyAuth(MSK)]))).toEqual(['auth', 'cp', 'sa', 'tsI', 'tsR'])
    expect(concentrator.eventsOf('established')).toHaveLength(1)
  })

  test.each([
    ['the peer did not ask for it', [], EAP_ONLY_REALM],
    ['the method does not authenticate us', [EAP_ONLY], REALM],
  ])('it proves itself when %s', (_name, payloads, found) => {
    const { peer } = createScene({ credential: { found } })
    expect(kindsOf(peer.ask(peer.firstRequest(...payloads)))).toEqual(['idR', 'cert', 'auth', 'eap'])
  })

  test('a method without key is no method then: nobody would have proven who we are', () => {
    const script = new EapScript({ msk: null })
    const { peer, concentrator } = createScene({ script, credential: { found: EAP_ONLY_REALM } })
    peer.ask(peer.firstRequest(EAP_ONLY))
    peer.ask([eapResponse(1)])
    expect(payloadOf(peer.ask([eapResponse(2)]), 'eap').data).toEqual(eapPacket(4, 2, 4))
    expect(concentrator.endpoint.size.established).toBe(0)
  })
})

test('the driver is told whether the method has to prove us', () => {
  for (const found of [REALM, EAP_ONLY_REALM]) {
    const { peer, concentrator } = createScene({ credential: { found } })
    peer.ask(peer.firstRequest(EAP_ONLY))
    peer.ask([eapResponse(1)])
    const withoutOurProof = found === EAP_ONLY_REALM
    expect(concentrator.questions.slice(1)).toMatchObject([{ withoutOurProof }, { withoutOurProof }])
  }
})

test('who was proven by EAP counts, not who was claimed: its tiers are checked, before anything is attached', () => {
  const tier = { name: 'compat', ike: defaultIkeSuites, esp: defaultEspSuites } as const
  for (const tiers of [['modern'], ['modern', 'compat']] as const) {
    const script = new EapScript({ proven: { tiers } })
    const { peer, concentrator } = throughEap({ script, config: { tiers: [tier] } })
    const isAllowed = tiers.length === 2
    expect(kindsOf(peer.ask([peer.sharedKeyAuth(MSK)]))?.[0]).toBe(
      isAllowed ? 'auth' : `notify ${NOTIFY.NO_PROPOSAL_CHOSEN}`,
    )
    expect(concentrator.eventsOf('established')).toHaveLength(isAllowed ? 1 : 0)
  }
})

test('why EAP failed is told to people alone', () => {
  const { peer, concentrator } = createScene({ script: new EapScript({ end: 'failure', detail: 'wrongSecret' }) })
  peer.ask(peer.firstRequest())
  peer.ask([eapResponse(1)])
  expect(kindsOf(peer.ask([eapResponse(2)]))).toEqual(['eap'])
  expect(concentrator.eventsOf('attemptFailed')).toMatchObject([{ detail: 'EAP failed: wrongSecret' }])
})

describe('a method that has decided against the peer and says so in a request (RFC 2759 6)', () => {
  const lost = { rounds: 2, end: 'failure', lost: 'wrongSecret' } as const

  test('the failure is told at once and once, though the peer is not heard of again', () => {
    const { peer, concentrator, network } = createScene({ script: new EapScript(lost) })
    peer.ask(peer.firstRequest())
    peer.ask([eapResponse(1)])
    const told = [{ stage: 'eap', reason: 'authenticationFailed', detail: 'EAP failed: wrongSecret' }]
    expect(concentrator.eventsOf('attemptFailed')).toMatchObject(told)
    network.run(200_000)
    expect(concentrator.eventsOf('attemptFailed')).toHaveLength(1)
    expect(concentrator.endedEap).toHaveLength(1)
    expect(concentrator.endpoint.size.halfOpen).toBe(0)
  })

  test('a peer that goes on hears EAP-Failure, and nothing is told twice', () => {
    const { peer, concentrator } = createScene({ script: new EapScript(lost) })
    peer.ask(peer.firstRequest())
    peer.ask([eapResponse(1)])
    expect(payloadOf(peer.ask([eapResponse(2)]), 'eap').data).toEqual(eapPacket(4, 2, 4))
    expect(concentrator.eventsOf('attemptFailed')).toHaveLength(1)
  })

  test('C34 its success afterwards is none', () => {
    const { peer, concentrator } = createScene({ script: new EapScript({ ...lost, end: 'success' }) })
    peer.ask(peer.firstRequest())
    peer.ask([eapResponse(1)])
    expect(payloadOf(peer.ask([eapResponse(2)]), 'eap').data[0]).toBe(4)
    expect(peer.ask([peer.sharedKeyAuth(MSK)])).toBeNull()
    expect(concentrator.endpoint.size.established).toBe(0)
  })
})

test('without anything to prove ourselves with there is no EAP', () => {
  const { signer: _none, ...found } = REALM
  const { peer } = createScene({ credential: { found } })
  expect(kindsOf(peer.ask(peer.firstRequest()))).toEqual(FAILED)
})

describe('N25 an EAP peer that lies', () => {
  const lies: readonly (readonly [string, readonly Payload[]])[] = [
    ['success of its own', [{ kind: 'eap', data: eapPacket(3, 1, 4) }]],
    ['failure of its own', [{ kind: 'eap', data: eapPacket(4, 1, 4) }]],
    ['a request of its own', [{ kind: 'eap', data: eapPacket(1, 1, 5) }]],
    ['the identifier of another request', [eapResponse(2)]],
    ['a length above the packet', [{ kind: 'eap', data: Uint8Array.of(2, 1, 0xff, 0xff, 255) }]],
    ['a length below the packet', [{ kind: 'eap', data: Uint8Array.of(2, 1, 0, 4, 255) }]],
    ['a length of 0', [{ kind: 'eap', data: Uint8Array.of(2, 1, 0, 0, 255) }]],
  ]
  test.each(lies)('%s ends it with EAP-Failure; the method never sees it', (_name, payloads) => {
    const { peer, concentrator, script } = createScene()
    peer.ask(peer.firstRequest())
    const end = peer.ask(payloads)
    expect(kindsOf(end)).toEqual(['eap'])
    expect(payloadOf(end, 'eap').data).toEqual(eapPacket(4, 1, 4))
    expect(script.heard).toEqual([])
    expect(concentrator.endedEap).toEqual(script.started)
    expect(peer.ask([eapResponse(1)])).toBeNull()
    expect(concentrator.endpoint.size.established).toBe(0)
  })

  test('AUTH before EAP is done ends it, with and without an EAP packet beside', () => {
    const beside = createScene()
    beside.peer.ask(beside.peer.firstRequest())
    const end = beside.peer.ask([eapResponse(1), beside.peer.sharedKeyAuth(MSK)])
    expect(payloadOf(end, 'eap').data).toEqual(eapPacket(4, 1, 4))
    const alone = createScene()
    alone.peer.ask(alone.peer.firstRequest())
    expect(kindsOf(alone.peer.ask([alone.peer.sharedKeyAuth(MSK)]))).toEqual([`notify ${NOTIFY.INVALID_SYNTAX}`])
    for (const { concentrator, script } of [beside, alone]) {
      expect(concentrator.endedEap).toEqual(script.started)
      expect(concentrator.eventsOf('attemptFailed')).toMatchObject([{ stage: 'eap' }])
      expect(concentrator.endpoint.size.established).toBe(0)
    }
  })

  test('EAP after success is refused, beside AUTH and alone', () => {
    const beside = throughEap()
    expect(kindsOf(beside.peer.ask([beside.peer.sharedKeyAuth(MSK), eapResponse(2)]))).toEqual(FAILED)
    const alone = throughEap()
    expect(kindsOf(alone.peer.ask([eapResponse(2)]))).toEqual([`notify ${NOTIFY.INVALID_SYNTAX}`])
    for (const { concentrator } of [beside, alone]) expect(concentrator.endpoint.size.established).toBe(0)
  })

  test('a signature after EAP is refused: only the key EAP made counts', () => {
    const { peer, concentrator } = throughEap()
    const signature = keyPair('p256', 'dev').signing.sign({ kind: 'ecdsa', hash: 'sha256', form: 'raw' }, peer.octets())
    expect(kindsOf(peer.ask([{ kind: 'auth', method: 9, data: signature }]))).toEqual(FAILED)
    expect(concentrator.endpoint.size.established).toBe(0)
  })

  test('rounds without end are ended', () => {
    const { peer, script, concentrator } = createScene({ script: new EapScript({ rounds: 1_000 }) })
    peer.ask(peer.firstRequest())
    let rounds = 0
    // the clock stands still but for the network, so it is the count that ends it
    for (let end = 1; end === 1; rounds += 1) {
      const packet = peer.askWithin(100, [eapResponse((rounds + 1) & 255)])
      end = payloadOf(packet, 'eap').data[0] ?? 0
    }
    expect(rounds).toBe(65)
    expect(script.heard).toHaveLength(64)
    expect(concentrator.endedEap).toEqual(script.started)
  })

  test('a method that stays silent, or a peer that does, is forgotten and the driver told', () => {
    const { peer, network, concentrator, script } = createScene()
    peer.ask(peer.firstRequest())
    network.run(40_000)
    expect(concentrator.endpoint.size.halfOpen).toBe(0)
    expect(concentrator.endedEap).toEqual(script.started)
    expect(concentrator.eventsOf('attemptFailed')).toMatchObject([{ stage: 'eap', reason: 'expired' }])
  })

  test('a driver that calls success or nonsense at once lets nobody in', () => {
    const script = new EapScript({ rounds: 0 })
    const { peer, concentrator } = createScene({ script })
    const first = peer.ask(peer.firstRequest())
    expect(kindsOf(first)).toEqual(['idR', 'cert', 'auth', 'eap'])
    expect(payloadOf(first, 'eap').data).toEqual(eapPacket(4, 0, 4))
    expect(concentrator.endpoint.size.established).toBe(0)
  })
})

describe('N12 C37 nothing but IKE_AUTH is heard while EAP is under way', () => {
  test.each(['CREATE_CHILD_SA', 'INFORMATIONAL'] as const)('%s, between rounds and after success', (exchange) => {
    const between = createScene()
    between.peer.ask(between.peer.firstRequest())
    const { peer, concentrator } = throughEap()
    for (const scene of [between, { peer, concentrator }]) {
      const id = scene.peer.messageId + 1
      const sent = scene.concentrator.sent.length
      scene.peer.askAs(id, [notify(NOTIFY.INITIAL_CONTACT)], EXCHANGE[exchange])
      expect(scene.concentrator.sent).toHaveLength(sent)
      expect(scene.concentrator.endpoint.size.established).toBe(0)
    }
    expect(kindsOf(peer.ask([peer.sharedKeyAuth(MSK)]))?.[0]).toBe('auth')
  })

  test('a second IKE_AUTH on an IKE SA that stands is not heard', () => {
    const { peer, concentrator } = throughEap()
    peer.ask([peer.sharedKeyAuth(MSK)])
    expect(peer.ask([peer.sharedKeyAuth(MSK)])).toBeNull()
    expect(peer.ask(peer.firstRequest(peer.sharedKeyAuth(PSK)))).toBeNull()
    expect(concentrator.eventsOf('established')).toHaveLength(1)
  })
})

describe('N26 with EAP nobody learns who exists', () => {
  const decoy = { signer: signer('p256', 'con') }
  const scenes: readonly (readonly [string, SceneOptions['credential']])[] = [
    ['nobody of that name', { found: null, decoy }],
    [
      'a device with a shared key',
      { found: { subject: 'dev_1', candidates: [{ kind: 'psk', id: 'c', secret: PSK }] }, decoy },
    ],
    ['EAP with a wrong password', { found: REALM }],
  ]
  test.each(scenes)('%s: our proof, the rounds, and EAP-Failure', (_name, credential) => {
    const script = new EapScript({ end: 'failure' })
    const { peer, concentrator } = createScene({ script, ...(credential === undefined ? {} : { credential }) })
    expect(kindsOf(peer.ask(peer.firstRequest()))).toEqual(['idR', 'cert', 'auth', 'eap'])
    expect(kindsOf(peer.ask([eapResponse(1)]))).toEqual(['eap'])
    expect(payloadOf(peer.ask([eapResponse(2)]), 'eap').data).toEqual(eapPacket(4, 2, 4))
    expect(concentrator.endpoint.size.established).toBe(0)
  })

  test('the success of a decoy is a failure', () => {
    const { peer, concentrator } = createScene({ credential: { found: null, decoy } })
    peer.ask(peer.firstRequest())
    peer.ask([eapResponse(1)])
    expect(payloadOf(peer.ask([eapResponse(2)]), 'eap').data).toEqual(eapPacket(4, 2, 4))
    expect(peer.ask([peer.sharedKeyAuth(MSK)])).toBeNull()
    expect(concentrator.endpoint.size.established).toBe(0)
  })

  test('where EAP is not spoken, everybody hears AUTHENTICATION_FAILED', () => {
    for (const found of [null, { subject: 'dev_1', candidates: [] }]) {
      const { peer } = createScene({ credential: { found } })
      expect(kindsOf(peer.ask(peer.firstRequest()))).toEqual(FAILED)
    }
  })
})
