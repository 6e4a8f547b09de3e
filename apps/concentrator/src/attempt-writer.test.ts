import type { AttachAttempt } from '@culvert/db'
import { waitFor } from '@culvert/testkit'
import { expect, it } from 'vitest'
import { createAttemptWriter } from './attempt-writer.ts'

const attempt = (detail: string): AttachAttempt => ({
  at: new Date(0),
  sourceAddress: '192.0.2.11',
  sourcePort: 500,
  deviceId: null,
  isProven: false,
  stage: 'init',
  reason: 'no_proposal',
  detail,
  offered: null,
  nearest: null,
  matchingTier: null,
  certificate: null,
})
const log = { error: () => {} } as never
const away = (): Error => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })

it('keeps the newest 500 while the database is away, and writes them when it is back', async () => {
  let isAway = true
  let tries = 0
  const written: string[] = []
  const writer = createAttemptWriter({
    async write(batch) {
      tries++
      if (isAway) throw away()
      written.push(...batch.map(({ detail }) => detail))
    },
    log,
    everyMs: 1,
  })
  for (let index = 0; index < 700; index++) writer.add(attempt(`${index}`))
  await waitFor(() => tries > 2, { message: 'it to try again' })
  writer.add(attempt('last'))
  isAway = false
  await waitFor(() => written.length > 0, { message: 'them to be written' })
  await writer.stop()
  expect(written).toHaveLength(500)
  expect([written[0], written.at(-1)]).toEqual(['201', 'last'])
})

it('gives up what the database refuses, and goes on', async () => {
  const written: string[] = []
  const errors: unknown[] = []
  const writer = createAttemptWriter({
    async write([first]) {
      if (first?.detail === 'bad') throw new Error('a bug')
      written.push(first?.detail ?? '')
    },
    log: { error: (...args: unknown[]) => void errors.push(args) } as never,
    everyMs: 1,
  })
  writer.add(attempt('bad'))
  await waitFor(() => errors.length > 0, { message: 'the error' })
  writer.add(attempt('good'))
  await writer.stop()
  expect(written).toEqual(['good'])
})
