import type { CloseReason } from '@culvert/ikev2'
import { attemptReasons } from '@culvert/lifecycle'
import { expect, it } from 'vitest'
import { attemptReasonOf, readableProposals } from './index.ts'

it('names offered transforms and keeps their numbers, unknown ones included', () => {
  const transforms = [
    { type: 1, id: 20, keyBits: 256 },
    { type: 4, id: 65_000, keyBits: null },
    { type: 200, id: 1, keyBits: null },
  ]
  expect(readableProposals([{ number: 1, protocolId: 1, spi: new Uint8Array(0), transforms }])).toEqual([
    {
      number: 1,
      protocolId: 1,
      transforms: [
        { type: 1, id: 20, keyBits: 256, name: 'ENCR_AES_GCM_16-256' },
        { type: 4, id: 65_000, keyBits: null, name: 'KE_65000' },
        { type: 200, id: 1, keyBits: null, name: 'TYPE_200_1' },
      ],
    },
  ])
})

it.each<CloseReason>(['noProposal', 'authenticationFailed', 'peerSilent', 'protocolError', 'shutdown'])(
  'says %s in a word of the closed set',
  (reason) => {
    expect(attemptReasons).toContain(attemptReasonOf(reason))
  },
)
