import { createSubjectTable } from '@culvert/concentrator-core'
import type { AttachmentKey } from '@culvert/ikev2'
import { NO_USAGE } from '@culvert/lifecycle'
import { expect, it } from 'vitest'
import { createPlacements } from './placements.ts'

const [A, B, C] = [1 as AttachmentKey, 2 as AttachmentKey, 3 as AttachmentKey]
const limits = { networkId: 'net_a', deviceToDevice: false, rateLimit: null, quota: null, usage: NO_USAGE }
const first = { deviceId: 'dev_a', addresses: ['10.128.0.5', 'fd80::5'], limits }
const second = { deviceId: 'dev_b', addresses: ['10.128.0.6'], limits }
const NO_POLICIES = { admit: (): void => {}, update: (): void => {} }

it('places all attachments of a device alike, and others elsewhere', () => {
  const placements = createPlacements(createSubjectTable(4), NO_POLICIES)
  for (const [key, device] of [
    [A, first],
    [B, second],
    [C, first],
  ] as const) {
    expect(placements.hold(key, device)).toBe(true)
  }
  expect(placements.of(A)).toEqual({ subject: 1, addresses: ['10.128.0.5', 'fd80::5'] })
  expect(placements.of(B)).toEqual({ subject: 2, addresses: ['10.128.0.6'] })
  expect(placements.of(C)).toEqual(placements.of(A))
})

it('knows no placement of an attachment that was not admitted or is closed', () => {
  const placements = createPlacements(createSubjectTable(4), NO_POLICIES)
  expect(placements.of(A)).toBeNull()
  placements.hold(A, first)
  placements.release(A)
  placements.release(A)
  expect(placements.of(A)).toBeNull()
})

it('refuses who comes when every number is held; one attachment asked twice holds once', () => {
  const placements = createPlacements(createSubjectTable(1), NO_POLICIES)
  expect([placements.hold(A, first), placements.hold(A, first), placements.hold(B, second)]).toEqual([
    true,
    true,
    false,
  ])
  placements.release(A)
  expect(placements.hold(B, second)).toBe(true)
})
