/** Session resumption (RFC 5723): a device comes back with a ticket in place of a key exchange and an authentication. */
import {
  type Answer,
  type AttachGrant,
  EXCHANGE,
  encodeMessage,
  type IkeSpi,
  type MessageId,
  NOTIFY,
  type Question,
  type ResumptionTicket,
} from '@culvert/ikev2'
import { describe, expect, test } from 'vitest'
import { notify } from './forge.ts'
import { granting } from './grants.ts'
import { fqdn, Node } from './node.ts'
import { fateOfFirst, LOST } from './packets.ts'
import { createPair, initiate, initiatorConfig, type Pair, type PairOptions } from './pair.ts'
import { Vault } from './vault.ts'

const features = { resumption: true }
const BOTH = { device: { features }, concentrator: { features } }
const DAY_MS = 86_400_000
const NAT = 'N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP), N(IKEV2_FRAGMENTATION_SUPPORTED)'

/** Answers like the driver of one installation: every ticket once, the newer attachment in place of the older. */
function resuming(
  change: Partial<AttachGrant> = {},
  isAllowed: (question: Extract<Question, { kind: 'resume' }>) => boolean = () => true,
): (question: Question) => Answer {
  const used = new Set<string>()
  return (question) => {
    if (question.kind !== 'resume') return granting({ ticketLifetimeMs: DAY_MS, ...change })(question)
    const isFirst = !used.has(question.ticketId)
    used.add(question.ticketId)
    return { kind: 'resume', isAllowed: isFirst && isAllowed(question) }
  }
}

function scene(options: PairOptions = BOTH, answerTo = resuming()): Pair {
  const pair = createPair(options)
  pair.concentrator.vault = new Vault(pair.network)
  pair.concentrator.answerTo = answerTo
  return pair
}

/** Attaches and takes the ticket. */
function attached(options: PairOptions = BOTH, answerTo = resuming()): { pair: Pair; ticket: ResumptionTicket } {
  const pair = scene(options, answerTo)
  initiate(pair, { requestTicket: true })
  pair.network.run(1_000)
  const [event] = pair.device.eventsOf('ticket')
  if (event === undefined) throw new Error('no ticket was given')
  pair.transcript.take()
  return { pair, ticket: event.ticket }
}

function comeBack({ device, concentrator }: Pair, resume: ResumptionTicket, change: object = {}): void {
  device.command({ kind: 'initiate', peer: initiatorConfig(device, concentrator, { resume, ...change }) })
}

describe('a ticket (4.1)', () => {
  test('is given to who asks, with its lifetime', () => {
    const { pair } = attached()
    expect(pair.device.eventsOf('ticket')).toMatchObject([{ key: pair.device.key, lifetimeMs: DAY_MS }])
  })

  test('is refused when none may be given, and nothing is said to who did not ask', () => {
    const pair = scene(BOTH, resuming({ ticketLifetimeMs: null }))
    initiate(pair, { requestTicket: true })
    pair.network.run(1_000)
    expect(pair.transcript.take().at(-1)).toContain('N(TICKET_NACK)')
    const quiet = scene()
    initiate(quiet)
    quiet.network.run(1_000)
    expect(quiet.transcript.take().join()).not.toContain('TICKET')
  })

  test('C18 is neither asked for nor given without the feature', () => {
    for (const options of [{ device: { features } }, { concentrator: { features } }]) {
      const pair = scene(options)
      initiate(pair, { requestTicket: true })
      pair.network.run(1_000)
      expect(pair.transcript.take().at(-1)).not.toContain('TICKET')
      expect(pair.device.eventsOf('ticket')).toEqual([])
    }
  })

  test('lives no longer than the authentication behind it', () => {
    const { pair } = attached(BOTH, resuming({ authLifetimeMs: 3_600_000 }))
    expect(pair.device.eventsOf('ticket')).toMatchObject([{ lifetimeMs: 3_600_000 }])
  })
})

describe('coming back (4.3)', () => {
  test('takes two exchanges without a key exchange, under new keys', () => {
    const { pair, ticket } = attached()
    const keys = pair.concentrator.child.keys.inboundKey
    pair.concentrator.answerTo = resuming({ replaces: [pair.concentrator.key] })
    comeBack(pair, ticket)
    pair.network.run(1_000)
    expect(pair.transcript.take()).toEqual([
      `dev: IKE_SESSION_RESUME request 0, N, N(TICKET_OPAQUE), ${NAT}`,
      `con: IKE_SESSION_RESUME response 0, N, ${NAT}`,
      'dev: IKE_AUTH request 1, SK {IDi, IDr, AUTH, N(INITIAL_CONTACT), CP(REQUEST), SA, TSi, TSr}',
      'con: IKE_AUTH response 1, SK {IDr, AUTH, CP(REPLY), SA, TSi, TSr}',
    ])
    expect(pair.device.eventsOf('established')).toHaveLength(2)
    expect(pair.concentrator.child.keys.inboundKey).not.toEqual(keys)
    expect(pair.concentrator.questions.at(-2)).toMatchObject({
      kind: 'resume',
      subject: 'dev.test',
      credential: 'crd_1',
    })
    expect(pair.concentrator.questions.at(-1)).toMatchObject({ kind: 'attach', subject: 'dev.test', proof: 'ticket' })
  })

  test('the question says in which tier the keys were made, and whether a PPK is in them, for every ticket of a chain', () => {
    const ppk = { id: Uint8Array.of(2, 0x70), secret: new Uint8Array(32).fill(7), isRequired: false }
    const withPpk = { features: { ...features, ppk: true } }
    const answerTo = resuming()
    const pair = scene({ device: withPpk, concentrator: withPpk }, (question) => {
      const answer = answerTo(question)
      if (answer.kind !== 'credential' || answer.found === null) return answer
      return { ...answer, found: { ...answer.found, ppks: [ppk] } }
    })
    initiate(pair, { requestTicket: true, ppk })
    pair.network.run(1_000)
    for (const round of [0, 1]) {
      comeBack(pair, pair.device.eventsOf('ticket')[round]?.ticket as ResumptionTicket, { requestTicket: true })
      pair.network.run(1_000)
    }
    const asked = pair.concentrator.questions.filter(({ kind }) => kind === 'resume')
    expect(asked).toMatchObject([
      { ppkMixed: true, tier: null },
      { ppkMixed: true, tier: null },
    ])
    expect(pair.device.eventsOf('established')).toHaveLength(3)
    expect(pair.transcript.take().at(-1)).not.toContain('PPK_IDENTITY')
  })

  test('the old IKE SA is dropped without a word', () => {
    const { pair, ticket } = attached()
    const old = pair.concentrator.key
    pair.concentrator.answerTo = resuming({ replaces: [old] })
    comeBack(pair, ticket)
    pair.network.run(1_000)
    expect(pair.concentrator.eventsOf('closed')).toMatchObject([{ key: old, reason: 'superseded' }])
    expect(pair.transcript.take().join()).not.toContain('INFORMATIONAL')
    expect(pair.concentrator.children.size).toBe(1)
  })

  test('the resumed IKE SA works on: rekeys, liveness, another ticket', () => {
    const { pair, ticket } = attached()
    comeBack(pair, ticket, { requestTicket: true })
    pair.network.run(1_000)
    pair.device.command({ kind: 'rekeyIke', key: pair.device.key })
    pair.network.run(1_000)
    pair.concentrator.command({ kind: 'rekeyIke', key: pair.concentrator.key })
    pair.network.run(1_000)
    expect(pair.device.eventsOf('ikeRekeyed')).toHaveLength(2)
    const second = pair.device.eventsOf('ticket').at(-1)
    expect(second?.ticket.ticket).not.toEqual(ticket.ticket)
    comeBack(pair, second?.ticket ?? ticket)
    pair.network.run(1_000)
    expect(pair.concentrator.questions.filter(({ kind }) => kind === 'resume')).toHaveLength(2)
    expect(pair.device.eventsOf('established')).toHaveLength(3)
  })

  test('any node of the installation takes the ticket', () => {
    const { pair, ticket } = attached()
    const other = new Node(pair.network, {
      name: 'con2',
      address: '203.0.113.2',
      config: { features, localId: fqdn('con.test') },
    })
    other.vault = pair.concentrator.vault
    other.answerTo = resuming()
    pair.device.command({ kind: 'initiate', peer: initiatorConfig(pair.device, other, { resume: ticket }) })
    pair.network.run(1_000)
    expect(other.questions.map(({ kind }) => kind)).toEqual(['resume', 'attach'])
    expect(other.children.size).toBe(1)
  })

  test('childless, and with other extensions, as at the first time', () => {
    const all = { resumption: true, childless: true, mobike: true }
    const { pair, ticket } = attached({ device: { features: all }, concentrator: { features: all } })
    comeBack(pair, ticket, { childless: true })
    pair.network.run(1_000)
    expect(pair.transcript.take().at(-1)).toBe(
      'con: IKE_AUTH response 1, SK {IDr, AUTH, CP(REPLY), N(MOBIKE_SUPPORTED)}',
    )
  })

  test.each([
    ['the request', { exchange: 'IKE_SESSION_RESUME', isResponse: false }],
    ['the response', { exchange: 'IKE_SESSION_RESUME', isResponse: true }],
    ['IKE_AUTH', { exchange: 'IKE_AUTH', isResponse: false }],
    ['its answer', { exchange: 'IKE_AUTH', isResponse: true }],
  ] as const)('%s is lost: repeated, and answered with the same octets', (_name, pattern) => {
    const { pair, ticket } = attached()
    pair.network.fate = fateOfFirst(pattern, LOST)
    comeBack(pair, ticket)
    pair.network.run(10_000)
    expect(pair.concentrator.questions.filter(({ kind }) => kind === 'resume')).toHaveLength(1)
    expect(pair.device.eventsOf('established')).toHaveLength(2)
  })
})

describe('a ticket that is not good', () => {
  /** The device attached all the same, with IKE_SA_INIT. */
  function expectFallback(pair: Pair, refusal: string): void {
    const lines = pair.transcript.take()
    expect(lines).toContain(refusal)
    expect(lines.some((line) => line.startsWith('con: IKE_SA_INIT response'))).toBe(true)
    expect(pair.device.eventsOf('established')).toHaveLength(2)
    expect(pair.device.eventsOf('attemptFailed')).toEqual([])
    expect([pair.device.pendingSpis, pair.concentrator.pendingSpis]).toEqual([0, 0])
  }

  const NACK = 'con: IKE_SESSION_RESUME response 0, N(TICKET_NACK)'
  const FAILED = 'con: IKE_AUTH response 1, SK {N(AUTHENTICATION_FAILED)}'

  test('because it is forged', () => {
    const { pair, ticket } = attached()
    comeBack(pair, { ...ticket, ticket: ticket.ticket.with(5, (ticket.ticket[5] ?? 0) ^ 1) })
    pair.network.run(2_000)
    expectFallback(pair, NACK)
  })

  test('because it is too old', () => {
    const { pair, ticket } = attached()
    pair.network.run(DAY_MS)
    comeBack(pair, ticket)
    pair.network.run(2_000)
    expectFallback(pair, NACK)
  })

  test('because it was used here', () => {
    const { pair, ticket } = attached()
    comeBack(pair, ticket)
    pair.network.run(1_000)
    pair.device.events.length = 1
    comeBack(pair, ticket)
    pair.network.run(2_000)
    expectFallback(pair, NACK)
  })

  test('because it was used on another node, or its credential is revoked: AUTHENTICATION_FAILED', () => {
    const { pair, ticket } = attached(
      BOTH,
      resuming({}, () => false),
    )
    comeBack(pair, ticket)
    pair.network.run(2_000)
    expectFallback(pair, FAILED)
    expect(pair.concentrator.eventsOf('attemptFailed')).toMatchObject([{ stage: 'resume', subject: 'dev.test' }])
  })

  test('because another identity brings it', () => {
    const { pair, ticket } = attached()
    comeBack(pair, ticket, { localId: fqdn('other.test') })
    pair.network.run(2_000)
    expectFallback(pair, FAILED)
    expect(pair.concentrator.questions.filter(({ kind }) => kind === 'resume')).toEqual([])
  })

  test('because it was copied without the keys behind it: and the device can still use it', () => {
    const { pair, ticket } = attached()
    const thief = new Node(pair.network, { name: 'thief', address: '192.0.2.66', config: { features } })
    const state = ticket.state.with(-1, (ticket.state.at(-1) ?? 0) ^ 1)
    comeBack({ ...pair, device: thief }, { ...ticket, state }, { proof: { kind: 'psk', secret: new Uint8Array(32) } })
    pair.network.run(60_000)
    expect(thief.eventsOf('established')).toEqual([])
    pair.transcript.take()
    comeBack(pair, ticket)
    pair.network.run(1_000)
    expect(pair.transcript.take()[0]).toContain('IKE_SESSION_RESUME')
    expect(pair.concentrator.questions.filter(({ kind }) => kind === 'resume')).toHaveLength(1)
  })

  test('because the responder does no resumption, or is silent: IKE_SA_INIT after three transmissions', () => {
    const { pair, ticket } = attached()
    const plain = new Node(pair.network, {
      name: 'con3',
      address: '203.0.113.3',
      config: { localId: fqdn('con.test') },
    })
    plain.answerTo = resuming()
    pair.device.command({ kind: 'initiate', peer: initiatorConfig(pair.device, plain, { resume: ticket }) })
    pair.network.run(30_000)
    expect(pair.transcript.take().filter((line) => line.includes('IKE_SESSION_RESUME'))).toHaveLength(3)
    expect(plain.children.size).toBe(1)
  })

  test('because the driver kept it badly', () => {
    const { pair, ticket } = attached()
    comeBack(pair, { ...ticket, state: new Uint8Array(3) })
    pair.network.run(1_000)
    expect(pair.transcript.take()[0]).toContain('IKE_SA_INIT')
    expect(pair.device.eventsOf('established')).toHaveLength(2)
  })
})

describe('N19 a flood of IKE_SESSION_RESUME', () => {
  test('C11 a cookie is demanded when busy, and the device brings it', () => {
    const { pair, ticket } = attached({ device: { features }, concentrator: { features, cookieThreshold: 0 } })
    comeBack(pair, ticket)
    pair.network.run(1_000)
    const lines = pair.transcript.take()
    expect(lines[1]).toBe('con: IKE_SESSION_RESUME response 0, N(COOKIE)')
    expect(lines[2]).toContain('N(COOKIE), N, N(TICKET_OPAQUE)')
    expect(pair.concentrator.questions.at(-1)).toMatchObject({ proof: 'ticket' })
  })

  test('with one ticket takes the places of its source and no more', () => {
    const limits = { features, cookieThreshold: 1_000, maxHalfOpen: 20 }
    const { pair, ticket } = attached({ device: { features }, concentrator: limits })
    for (let count = 0; count < 200; count += 1) pair.concentrator.receive(resumeRequest(pair, ticket, count))
    expect(pair.concentrator.endpoint.size.halfOpen).toBeLessThanOrEqual(6)
  })

  test('with forged tickets leaves nothing', () => {
    const { pair, ticket } = attached()
    const forged = { ...ticket, ticket: new Uint8Array(48) }
    for (let count = 0; count < 100; count += 1) pair.concentrator.receive(resumeRequest(pair, forged, count))
    expect(pair.concentrator.endpoint.size.halfOpen).toBe(0)
  })

  function resumeRequest({ device, concentrator }: Pair, { ticket }: ResumptionTicket, count: number) {
    const spiI = (count + 1).toString(16).padStart(16, 'a') as IkeSpi
    const header = { spiI, spiR: '0'.repeat(16) as IkeSpi, exchangeType: EXCHANGE.IKE_SESSION_RESUME }
    const nonce = { kind: 'nonce' as const, data: new Uint8Array(32).fill(count) }
    const bytes = encodeMessage(
      { ...header, messageId: 0 as MessageId, fromOriginalInitiator: true, isResponse: false },
      [nonce, notify(NOTIFY.TICKET_OPAQUE, ticket)],
    )
    return { from: { address: device.address, port: 500 }, to: { address: concentrator.address, port: 500 }, bytes }
  }
})
