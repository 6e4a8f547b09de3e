import type { IkeEvent } from '@culvert/ikev2'
import { expect, it } from 'vitest'
import { createAttemptLog } from './attempt-log.ts'

const attempt: Extract<IkeEvent, { kind: 'attemptFailed' }> = {
  kind: 'attemptFailed',
  path: { local: { address: '192.0.2.1', port: 500 }, remote: { address: '192.0.2.11', port: 500 } },
  subject: null,
  idI: { type: 2, data: new TextEncoder().encode('nobody.example') },
  reason: 'authenticationFailed',
  detail: 'identity not known',
}

it('bounds the lines of a flood of attempts, counts what it leaves out, and names nobody above debug', () => {
  const info: object[] = []
  let debugLines = 0
  const note = createAttemptLog({
    info: (line: object) => void info.push(line),
    debug: () => void debugLines++,
  } as never)
  for (let i = 0; i < 5000; i++) note(attempt, 10_000)
  expect(info).toHaveLength(20)
  expect(debugLines).toBe(20)
  note(attempt, 11_000)
  expect(info.at(-1)).toEqual({ reason: 'authenticationFailed', detail: 'identity not known', leftOut: 4980 })
  note(attempt, 11_500)
  expect(info).toHaveLength(21)
  expect(JSON.stringify(info)).not.toMatch(/nobody|192\.0\.2/)
})
