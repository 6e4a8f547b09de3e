import type { AttachmentKey, IkeSaSummary } from '@culvert/ikev2'
import { expect, it } from 'vitest'
import { createAttachmentRegistry, type AttachmentRecord } from './attachment-registry.ts'

const transform = { type: 1, id: 20, keyBits: 256 }
const path = { local: { address: '192.0.2.1', port: 4500 }, remote: { address: '192.0.2.10', port: 4500 } }
const ike = {
  spiI: '01',
  spiR: '02',
  encr: transform,
  prf: transform,
  integ: null,
  ke: transform,
  path,
} as unknown as IkeSaSummary

function record(key: number, deviceId = 'dev_a'): AttachmentRecord {
  return {
    key: key as AttachmentKey,
    deviceId,
    organizationId: 'org_a',
    address4: '10.128.0.5',
    address6: null,
    lanPrefixes: [],
    neighbours: [],
    offered: null,
    credentialId: 'crd_a',
    attachedAtMs: key,
    state: 'attached',
    ike,
    ikeEstablishedAtMs: key,
    initiatedIke: false,
    children: [],
    remote: path.remote,
    ikeRekeys: 0,
    childRekeys: 0,
    lastSeenAtMs: key,
    detachedAtMs: null,
    detachReason: null,
  }
}

it('lets the newest attachment of a device win and ignores the end of the older one', () => {
  const registry = createAttachmentRegistry()
  registry.attach(record(1))
  registry.attach(record(2))
  expect(registry.attachedCount).toBe(1)
  expect(registry.detach(1 as AttachmentKey, 'superseded', 9)).toBeUndefined()
  expect(registry.byDevice('dev_a')).toMatchObject({ key: 2, state: 'attached' })
})

it('keeps a detached record until it is forgotten, and forgets only that attachment', () => {
  const registry = createAttachmentRegistry()
  registry.attach(record(1))
  expect(registry.detach(1 as AttachmentKey, 'peerSilent', 9)).toMatchObject({
    detachedAtMs: 9,
    detachReason: 'peerSilent',
  })
  expect(registry.attachedCount).toBe(0)
  registry.forget('dev_a', 7 as AttachmentKey)
  expect(registry.byDevice('dev_a')).toBeDefined()
  registry.forget('dev_a', 1 as AttachmentKey)
  expect(registry.byDevice('dev_a')).toBeUndefined()
})

it('never forgets a device that came back', () => {
  const registry = createAttachmentRegistry()
  registry.attach(record(1))
  registry.detach(1 as AttachmentKey, 'peerSilent', 9)
  registry.attach(record(2))
  registry.forget('dev_a', 1 as AttachmentKey)
  expect([...registry.attached()].map(({ key }) => key)).toEqual([2])
})
