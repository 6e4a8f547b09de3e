import { createAttachmentRegistry, type AttachmentRecord } from '@culvert/concentrator-core'
import type { AttachmentSnapshot } from '@culvert/db'
import type { AttachmentKey, IkeSaSummary } from '@culvert/ikev2'
import { createLogger } from '@culvert/observability'
import { waitFor } from '@culvert/testkit'
import { expect, it } from 'vitest'
import { createStateWriter } from './state-writer.ts'

const log = createLogger('test', 'silent')

it('writes a device that comes alone at once, and what comes behind it in one batch', async () => {
  const { registry, writer, batches } = openWriter({ pauseMs: 200 })
  attach(registry, 'dev_first')
  writer.touch('dev_first', true)
  await waitFor(() => batches.length === 1, { message: 'the first batch' })
  for (const deviceId of ['dev_a', 'dev_b', 'dev_c']) {
    attach(registry, deviceId)
    writer.touch(deviceId, true)
    writer.touch(deviceId, false)
    await new Promise((done) => setImmediate(done))
  }
  await writer.drain(5_000)
  expect(batches).toEqual([['dev_first'], ['dev_a', 'dev_b', 'dev_c']])
})

it('keeps what could not be written while Postgres is away, newest state only', async () => {
  const { registry, writer, batches, database } = openWriter({ pauseMs: 1 })
  database.isAway = true
  attach(registry, 'dev_first')
  writer.touch('dev_first', true)
  await waitFor(() => database.refusals === 1, { message: 'a refused batch' })
  attach(registry, 'dev_second')
  writer.touch('dev_second', true)
  writer.touch('dev_first', false)
  database.isAway = false
  await writer.drain(5_000)
  expect(batches).toHaveLength(1)
  expect(batches[0]?.toSorted()).toEqual(['dev_first', 'dev_second'])
})

function openWriter({ pauseMs }: { pauseMs: number }) {
  const registry = createAttachmentRegistry()
  const batches: string[][] = []
  const database = { isAway: false, refusals: 0 }
  const write = async (batch: readonly AttachmentSnapshot[]): Promise<void> => {
    if (database.isAway) {
      database.refusals++
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    }
    batches.push(batch.map(({ deviceId }) => deviceId))
  }
  return { registry, batches, database, writer: createStateWriter({ write, registry, log, pauseMs }) }
}

let count = 0
function attach(registry: ReturnType<typeof createAttachmentRegistry>, deviceId: string): void {
  count++
  const transform = { type: 1, id: 20, keyBits: 256 }
  const remote = { address: '192.0.2.10', port: 4500 }
  const record: AttachmentRecord = {
    key: count as AttachmentKey,
    deviceId,
    organizationId: 'org_a',
    address4: '10.128.0.10',
    address6: null,
    lanPrefixes: [],
    neighbours: [],
    offered: null,
    credentialId: 'crd_a',
    attachedAtMs: performance.now(),
    state: 'attached',
    ike: {
      spiI: '0000000000000001',
      spiR: '0000000000000002',
      encr: transform,
      integ: null,
      prf: transform,
      ke: transform,
      additionalKe: [],
      tier: null,
      peerBehindNat: false,
      path: { local: remote, remote },
    } as unknown as IkeSaSummary,
    ikeEstablishedAtMs: performance.now(),
    initiatedIke: false,
    children: [],
    remote,
    ikeRekeys: 0,
    childRekeys: 0,
    lastSeenAtMs: performance.now(),
    detachedAtMs: null,
    detachReason: null,
  }
  registry.attach(record)
}
