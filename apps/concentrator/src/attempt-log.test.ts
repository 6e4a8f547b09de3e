import type { IkeEvent } from '@culvert/ikev2'
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
  const attempts = createAttemptLog({
    info: (line: object) => void info.push(line),
    debug: () => void debugLines++,
  } as never)
  for (let i = 0; i < 5000; i++) attempts.failed(attempt, 10_000)
  expect(info).toHaveLength(20)
  expect(debugLines).toBe(20)
  attempts.failed(attempt, 11_000)
  expect(info.at(-1)).toEqual({ reason: 'authenticationFailed', detail: 'identity not known', leftOut: 4980 })
  attempts.failed(attempt, 11_500)
  expect(info).toHaveLength(21)
  expect(JSON.stringify(info)).not.toMatch(/nobody|192\.0\.2/)
})

it('names a device by our id when its identity was claimed, and forgets the claims of long ago', () => {
  const info: object[] = []
  const attempts = createAttemptLog({ info: (line: object) => void info.push(line), debug: () => undefined } as never)
  const identity = (name: string) => ({ type: 2, data: new TextEncoder().encode(name) })
  for (let i = 0; i <= 1000; i++) attempts.claimed(identity(`n${i}.example`), `dev_${i}`)
  for (const name of ['n0.example', 'n1.example', 'N1000.example']) {
    attempts.failed({ ...attempt, idI: identity(name) }, 10_000)
  }
  attempts.failed({ ...attempt, subject: 'dev_proven', idI: identity('n1.example') }, 10_000)
  expect(info.map((line) => 'deviceId' in line && line.deviceId)).toEqual([false, 'dev_1', 'dev_1000', 'dev_proven'])
})
