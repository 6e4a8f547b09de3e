import type { AttachAttempt } from '@culvert/db'
import { ENCR, KE, PRF, TRANSFORM_TYPE, type IkeEvent, type Proposal, type Transform } from '@culvert/ikev2'
import { expect, it } from 'vitest'
import { createAttemptLog } from './attempt-log.ts'

const attempt: Extract<IkeEvent, { kind: 'attemptFailed' }> = {
  kind: 'attemptFailed',
  path: { local: { address: '192.0.2.1', port: 500 }, remote: { address: '192.0.2.11', port: 500 } },
  subject: null,
  idI: { type: 2, data: new TextEncoder().encode('nobody.example') },
  stage: 'auth',
  reason: 'authenticationFailed',
  detail: 'identity not known',
  offered: null,
}

it('bounds the lines of a flood of attempts, counts what it leaves out, and names nobody above debug', () => {
  const info: object[] = []
  let debugLines = 0
  let stored = 0
  const attempts = createAttemptLog({
    log: { info: (line: object) => void info.push(line), debug: () => void debugLines++ } as never,
    store: () => void stored++,
    tiers: () => [],
  })
  for (let i = 0; i < 5000; i++) attempts.failed(attempt, 10_000)
  expect(info).toHaveLength(20)
  expect(debugLines).toBe(20)
  expect(stored).toBe(5000)
  attempts.failed(attempt, 11_000)
  expect(info.at(-1)).toEqual({ reason: 'authenticationFailed', detail: 'identity not known', leftOut: 4980 })
  attempts.failed(attempt, 11_500)
  expect(info).toHaveLength(21)
  expect(JSON.stringify(info)).not.toMatch(/nobody|192\.0\.2/)
})

it('names a device by our id when its identity was claimed, and forgets the claims of long ago', () => {
  const info: object[] = []
  const log = { info: (line: object) => void info.push(line), debug: () => undefined } as never
  const attempts = createAttemptLog({ log, store: () => {}, tiers: () => [] })
  const identity = (name: string) => ({ type: 2, data: new TextEncoder().encode(name) })
  for (let i = 0; i <= 1000; i++) attempts.claimed(identity(`n${i}.example`), `dev_${i}`, null)
  for (const name of ['n0.example', 'n1.example', 'N1000.example']) {
    attempts.failed({ ...attempt, idI: identity(name) }, 10_000)
  }
  attempts.failed({ ...attempt, subject: 'dev_proven', idI: identity('n1.example') }, 10_000)
  expect(info.map((line) => 'deviceId' in line && line.deviceId)).toEqual([false, 'dev_1', 'dev_1000', 'dev_proven'])
})

const log = { info: () => undefined, debug: () => undefined } as never
const OLD: readonly Transform[] = [
  { type: TRANSFORM_TYPE.ENCR, id: ENCR.AES_CBC, keyBits: 256 },
  { type: TRANSFORM_TYPE.PRF, id: PRF.HMAC_SHA1, keyBits: null },
  { type: TRANSFORM_TYPE.INTEG, id: 2, keyBits: null },
  { type: TRANSFORM_TYPE.KE, id: KE.MODP_1024, keyBits: null },
]
const offer = (transforms: readonly Transform[]): readonly Proposal[] => [
  { number: 1, protocolId: 1, spi: new Uint8Array(0), transforms },
]

it('stores what was offered, what of ours comes nearest, and the tier that would have taken it', () => {
  const stored: AttachAttempt[] = []
  const attempts = createAttemptLog({ log, store: (attempt) => void stored.push(attempt), tiers: () => ['standard'] })
  const failure = { ...attempt, idI: null, stage: 'init', reason: 'noProposal', detail: 'nothing common' } as const
  attempts.failed({ ...failure, offered: offer(OLD) }, 0)
  attempts.failed({ ...failure, offered: offer([{ type: TRANSFORM_TYPE.ENCR, id: 3, keyBits: null }]) }, 0)
  expect(stored).toMatchObject([
    {
      sourceAddress: '192.0.2.11',
      deviceId: null,
      isProven: false,
      stage: 'init',
      reason: 'no_proposal',
      matchingTier: 'compat',
    },
    { matchingTier: null, nearest: { tier: 'standard', proposal: 1 } },
  ])
  expect(stored[0]?.nearest?.differsIn.map(({ type }) => type)).toEqual(['PRF', 'INTEG', 'KE'])
  expect(stored[0]?.offered?.[0]?.transforms[3]).toMatchObject({
    id: KE.MODP_1024,
    name: expect.stringContaining('1024'),
  })
})

it('says why a claim was in doubt, as long as nobody else was proven', () => {
  const stored: AttachAttempt[] = []
  const attempts = createAttemptLog({ log, store: (attempt) => void stored.push(attempt), tiers: () => [] })
  attempts.claimed(attempt.idI as never, 'dev_a', { reason: 'no_credential', detail: 'no valid shared key' })
  attempts.failed(attempt, 0)
  attempts.failed({ ...attempt, subject: 'dev_b', reason: 'noProposal' }, 0)
  expect(stored).toMatchObject([
    { deviceId: 'dev_a', isProven: false, reason: 'no_credential', detail: 'identity not known: no valid shared key' },
    { deviceId: 'dev_b', isProven: true, reason: 'no_proposal' },
  ])
})

it('names the certificate that was shown, as long as nobody else was proven: what became of it is looked up later', () => {
  const stored: AttachAttempt[] = []
  const attempts = createAttemptLog({ log, store: (attempt) => void stored.push(attempt), tiers: () => [] })
  const doubt = { reason: 'authentication_failed', detail: 'no path', certificate: 'ff00' } as const
  attempts.claimed(attempt.idI as never, 'dev_a', doubt)
  attempts.failed(attempt, 0)
  attempts.failed({ ...attempt, subject: 'dev_b' }, 0)
  expect(stored.map(({ certificate }) => certificate)).toEqual(['ff00', null])
})

it('an attempt that failed in EAP is about the device whose name was given there, once, and not about the one of another run', () => {
  const stored: AttachAttempt[] = []
  const attempts = createAttemptLog({ log, store: (attempt) => void stored.push(attempt), tiers: () => [] })
  const { remote } = attempt.path
  const inEap = { ...attempt, stage: 'eap' } as const
  const elsewhere = { ...inEap, path: { ...attempt.path, remote: { ...remote, port: 501 } } }
  attempts.claimed(attempt.idI as never, 'dev_idi', { reason: 'no_credential', detail: 'no valid shared key' })
  attempts.claimedInEap(remote, 'dev_eap')
  for (const event of [elsewhere, inEap, inEap]) attempts.failed(event, 0)
  attempts.claimedInEap(remote, 'dev_eap')
  attempts.claimedInEap(remote, null)
  attempts.failed(inEap, 0)
  attempts.claimedInEap(remote, 'dev_eap')
  attempts.failed({ ...inEap, subject: 'dev_proven' }, 0)
  expect(stored.map(({ deviceId }) => deviceId)).toEqual(['dev_idi', 'dev_eap', 'dev_idi', 'dev_idi', 'dev_proven'])
  expect(stored[1]).toMatchObject({ isProven: false, reason: 'authentication_failed', detail: 'identity not known' })
})
