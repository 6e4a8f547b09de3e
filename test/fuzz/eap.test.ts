/** A short run of the EAP fuzzer from a fixed seed. */
import { expect, it } from 'vitest'
import { fuzzEap } from './eap-fuzz.ts'

it('N25 EAP breaks no rule on either end in 600 damaged conversations', async () => {
  const { inputs, successes, reasons } = await fuzzEap(0x3748, 600)
  expect(inputs).toBe(600)
  expect(successes).toBeGreaterThan(30)
  expect([...reasons].toSorted()).toEqual(
    expect.arrayContaining(['identifierMismatch', 'malformed', 'tls', 'unexpected', 'unknownIdentity', 'wrongSecret']),
  )
})
