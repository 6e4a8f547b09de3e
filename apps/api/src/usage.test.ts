import type { AuditEntry, Usage, UsageThreshold } from '@culvert/contracts'
import { createApiKey, rollUpUsage, tellThresholds, writeChildCounters } from '@culvert/db'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { newConcentrator, newDevice, openHarness, setAttached, type Harness } from './testing/harness.ts'

interface Page {
  readonly data: Usage[]
  readonly nextCursor: string | null
}

let harness: Harness
let devices: string[] = []

beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
  const { pool, call } = harness
  await newConcentrator(pool, 'con-1', 1)
  devices = [await newDevice(call), await newDevice(call)].toSorted()
  for (const [index, deviceId] of devices.entries()) {
    await setAttached(pool, 'con-1', deviceId, 'attached')
    const counters = { bytesIn: 1_000 * (index + 1), bytesOut: 10, packetsIn: 2, packetsOut: 1 }
    await writeChildCounters(pool, [{ deviceId, spiIn: 0x0100_0203, ...counters }])
  }
  await rollUpUsage(pool)
})
afterAll(() => harness.close())

const read = async (query = '', key?: string): Promise<Page> =>
  (await harness.call<Page>('GET', `/v1/usage${query}`, key ? { key } : {})).body

describe('usage', () => {
  it('is read by device, hour or day, and for the organization', async () => {
    const { data } = await read()
    expect(data.map(({ id, bytesIn, bytesOut }) => [id, bytesIn, bytesOut])).toEqual([
      [devices[0], 1_000, 10],
      [devices[1], 2_000, 10],
    ])
    const [day] = (await read('?groupBy=organization&interval=day')).data
    expect(day).toMatchObject({ id: harness.organization.id, bytesIn: 3_000, bytesOut: 20, packetsIn: 4 })
    expect(day?.from).toMatch(/T00:00:00.000Z$/)
    expect((await read(`?deviceId=${devices[1]}`)).data.map(({ bytesIn }) => bytesIn)).toEqual([2_000])
    expect((await read('?groupBy=tunnel')).data).toEqual([])
  })

  it('has pages whose cursor is good for the same question alone', async () => {
    const first = await read('?limit=1')
    expect(first.data).toHaveLength(1)
    const second = await read(`?limit=1&cursor=${first.nextCursor}`)
    expect(second).toMatchObject({ data: [{ id: devices[1] }], nextCursor: null })
    const other = await harness.call('GET', `/v1/usage?limit=1&interval=day&cursor=${first.nextCursor}`)
    expect([other.status, other.body['code']]).toEqual([400, 'invalid_cursor'])
  })

  it('is refused for a time that is none or too long', async () => {
    const day = '2026-01-01T00:00:00Z'
    for (const query of [`?from=${day}&before=${day}`, '?from=2020-01-01T00:00:00Z'])
      expect((await harness.call('GET', `/v1/usage${query}`)).body).toMatchObject({ code: 'validation_failed' })
  })

  it('is the own one: another organization sees nothing of it, and a key needs the permission', async () => {
    expect((await read(`?deviceId=${devices[0]}`, harness.other.key)).data).toEqual([])
    const { key } = await createApiKey(harness.pool, {
      organizationId: harness.organization.id,
      name: 'x',
      scopes: ['devices:read'],
    })
    expect((await harness.call('GET', '/v1/usage', { key })).status).toBe(403)
  })

  it('is exported as NDJSON and CSV', async () => {
    const lines = await harness.call('GET', '/v1/usage/export')
    expect(lines.headers['content-type']).toBe('application/x-ndjson')
    expect(
      lines.text
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as Usage).id),
    ).toEqual(devices)
    const csv = await harness.call('GET', '/v1/usage/export?format=csv')
    const [header, first] = csv.text.split('\r\n')
    expect(header).toBe(
      'id,deviceId,from,bytesIn,bytesOut,packetsIn,packetsOut,attachedSec,tunnelsOpened,connections,denied',
    )
    expect(first).toMatch(new RegExp(`^${devices[0]},,.*Z,1000,10,2,1,0,0,0,0$`))
  })
})

describe('a threshold of usage', () => {
  it('is made, read, changed, told and deleted', async () => {
    const { call, pool } = harness
    const made = await call<UsageThreshold>('POST', '/v1/usage-thresholds', {
      body: { name: 'SIM', deviceId: devices[0], bytes: 1_200, period: 'month' },
    })
    expect([made.status, made.body.percents]).toEqual([201, [80, 100]])
    const url = `/v1/usage-thresholds/${made.body.id}`
    await tellThresholds(pool, { everySec: 0 })
    expect((await call<UsageThreshold>('GET', url)).body.toldPercent).toBe(80)
    const stale = await call('PATCH', url, { body: { bytes: 1_000 }, headers: { 'if-match': '"7"' } })
    expect(stale.status).toBe(412)
    expect((await call('PATCH', url, { body: { bytes: 1_000, percents: [100, 50] } })).body).toMatchObject({
      bytes: 1_000,
      percents: [50, 100],
      toldPercent: null,
      version: 2,
    })
    expect((await call<{ data: object[] }>('GET', '/v1/usage-thresholds')).body.data).toHaveLength(1)
    for (const method of ['GET', 'DELETE'])
      expect((await call(method, url, { key: harness.other.key })).status).toBe(404)
    expect((await call('DELETE', url)).status).toBe(204)
    expect((await call('GET', url)).status).toBe(404)
  })

  it('is of a device or a tag, never of both, and never of a stranger’s device', async () => {
    const body = { name: 'x', bytes: 1, period: 'day', deviceId: devices[0] }
    const both = await harness.call('POST', '/v1/usage-thresholds', { body: { ...body, tag: 'a' } })
    expect(both.body).toMatchObject({ code: 'validation_failed' })
    expect((await harness.call('POST', '/v1/usage-thresholds', { body, key: harness.other.key })).status).toBe(404)
  })
})

describe('the audit log', () => {
  it('is exported as NDJSON and CSV, whole and newest first', async () => {
    const lines = (await harness.call('GET', '/v1/audit-log/export')).text.trim().split('\n')
    const sequences = lines.map((line) => (JSON.parse(line) as AuditEntry).sequence)
    expect(sequences.length).toBeGreaterThan(4)
    expect(sequences).toEqual(sequences.toSorted((a, b) => b - a))
    expect(sequences.at(-1)).toBe(1)
    await harness.call('PATCH', `/v1/devices/${devices[0]}`, { body: { name: '=1+1' } })
    const csv = await harness.call('GET', `/v1/audit-log/export?format=csv&targetId=${devices[0]}`)
    const rows = csv.text.trim().split('\r\n')
    expect(rows[0]).toMatch(/^sequence,at,actorKind,/)
    expect(rows).toHaveLength(3)
    expect(rows[1]).toContain('device.updated')
    expect(rows[1]).toContain('"{""name"":""=1+1""}"')
    const stranger = await harness.call('GET', '/v1/audit-log/export', { key: harness.other.key })
    expect(stranger.text).not.toContain(devices[0])
  })
})
