/**
 * Text of peers that is meant for whoever reads it: logs, shells, terminals, format functions. None of it leaves the core but the
 * claimed identity, and of that nothing that is not a plain name reaches a log line.
 */
import { CFG_TYPE, EXCHANGE, ID_TYPE, type IkeEvent, type Payload, PROTOCOL } from '@culvert/ikev2'
import { createLogger } from '@culvert/observability'
import { describe, expect, test } from 'vitest'
import { createAttemptLog } from '../../apps/concentrator/src/attempt-log.ts'
import { forge, notify, sendForged } from './forge.ts'
import { attachedPair, createPair, initiate, type Pair } from './pair.ts'

const { CREATE_CHILD_SA, IKE_AUTH, INFORMATIONAL } = EXCHANGE
/** In every piece of text below, so that it can be found wherever it went. */
const MARK = 'reb00t'

const TEXTS: readonly (readonly [name: string, text: string])[] = [
  ['line breaks', `\r\n{"level":"error","msg":"${MARK}"}\r\n`],
  ['quotes', `"${MARK}' \`${MARK}\``],
  ['a command', `$(${MARK}) ; ${MARK} | ${MARK}`],
  ['zeros', `\0\0${MARK}\0`],
  ['a terminal sequence', `\u001b]0;${MARK}\u0007\u001b[2J`],
  ['formats', `%s%n%x${MARK} {0} \${${MARK}}`],
  ['no UTF-8', `\u00ff\u00fe${MARK}\u00c0\u0080`],
  ['60 kB', MARK.repeat(10_000)],
]

const octets = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'))

/** Everything an event holds, octets as text. */
function shown(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    member instanceof Uint8Array ? Buffer.from(member).toString('latin1') : member,
  )
}

function carriers(data: Uint8Array): readonly Payload[] {
  return [
    notify(8_191, data),
    notify(16_384, data),
    notify(40_961, data),
    { kind: 'vendor', data },
    { kind: 'unknown', type: 200, data },
    { kind: 'cp', cfgType: CFG_TYPE.REQUEST, attributes: [{ type: 7, value: data }] },
    { kind: 'delete', protocolId: PROTOCOL.ESP, spis: [data.slice(0, 4)] },
  ]
}

describe.each(TEXTS)('%s', (_name, text) => {
  test.each([INFORMATIONAL, CREATE_CHILD_SA, IKE_AUTH])(
    'N07 in payloads of a peer with keys (exchange %i) are told to nobody',
    (exchangeType) => {
      for (const payload of carriers(octets(text))) {
        const pair = attachedPair()
        const told = pair.concentrator.events.length
        sendForged(pair.device, { exchangeType, messageId: 2, payloads: [payload] })
        pair.network.run(1_000)
        expect(shown(pair.concentrator.events.slice(told))).not.toContain(MARK)
      }
    },
  )

  test('N07 in a response are told to nobody', () => {
    for (const payload of carriers(octets(text))) {
      const pair = attachedPair()
      const { device, concentrator, network } = pair
      network.fate = () => ({ copies: 0 })
      concentrator.command({ kind: 'rekeyIke', key: concentrator.key })
      const place = { exchangeType: CREATE_CHILD_SA, messageId: 0, isResponse: true }
      const [bytes] = forge(device, { ...place, payloads: [payload] })
      if (bytes === undefined) throw new Error('there is one')
      const told = concentrator.events.length
      concentrator.receive({ from: sourceOf(pair), to: { address: concentrator.address, port: 500 }, bytes })
      expect(shown(concentrator.events.slice(told))).not.toContain(MARK)
    }
  })

  test('N07 N08 as an identity become one short line of JSON, without what is not printable', () => {
    const pair = createPair()
    pair.concentrator.answerTo = () => ({ kind: 'credential', found: null })
    const data = octets(text).slice(0, 1_000)
    for (const type of [ID_TYPE.FQDN, ID_TYPE.RFC822_ADDR, ID_TYPE.KEY_ID, ID_TYPE.DER_ASN1_DN, 99]) {
      initiate(pair, { localId: { type, data } })
      pair.network.run(2_000)
    }
    const failures = pair.concentrator.eventsOf('attemptFailed')
    expect(failures.length).toBeGreaterThan(0)
    for (const failure of failures) {
      expect(shown({ ...failure, idI: null })).not.toContain(MARK)
      for (const line of linesOf(failure)) expectPlain(line)
    }
  })
})

test('N09 what is refused before there is a state is reported without one', () => {
  const pair = createPair()
  const { device, concentrator, network } = pair
  initiate(pair)
  const request = device.sent[0]?.bytes ?? new Uint8Array(0)
  network.detach(concentrator.address)
  for (let length = 0; length < request.length; length += 1) {
    const cut = request.slice(0, length)
    if (length >= 28) new DataView(cut.buffer).setUint32(24, length)
    concentrator.receive({ from: sourceOf(pair), to: { address: concentrator.address, port: 500 }, bytes: cut })
  }
  expect(concentrator.endpoint.tableSizes).toEqual({ ikeSas: 0, attachments: 0, asks: 0, timers: 0 })
  expect(concentrator.questions).toEqual([])
  for (const event of concentrator.events) {
    expect(event).toMatchObject({ kind: 'attemptFailed', subject: null, idI: null, stage: 'init' })
  }
})

function sourceOf({ device }: Pair) {
  return { address: device.address, port: 500 }
}

/** As the concentrator logs it, everything included. */
function linesOf(event: Extract<IkeEvent, { kind: 'attemptFailed' }>): string[] {
  const lines: string[] = []
  const log = createLogger('test', 'trace', { write: (line: string) => void lines.push(line) })
  createAttemptLog({ log, store: () => {}, tiers: () => [] }).failed(event, 0)
  expect(lines).toHaveLength(2)
  return lines
}

function expectPlain(line: string): void {
  expect(line.length).toBeLessThan(1_500)
  expect(line).toMatch(/^[\x20-\x7e]+\n$/)
  expect(JSON.parse(line)).toMatchObject({ name: 'test' })
}
