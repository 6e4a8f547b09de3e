/** A short run of the EAP fuzzer from a fixed seed. */
import { expect, it } from 'vitest'
import { fuzzEap } from './eap-fuzz.ts'

it('N25 the EAP authenticator breaks no rule in 600 damaged conversations', async () => {
  const { conversations, successes, reasons } = await fuzzEap(0x3748, 600)
  expect(conversations).toBe(600)
  expect(successes).toBeGreaterThan(30)
  expect([...reasons].toSorted()).toEqual(
    expect.arrayContaining(['identifierMismatch', 'malformed', 'tls', 'unexpected', 'unknownIdentity', 'wrongSecret']),
  )
})
