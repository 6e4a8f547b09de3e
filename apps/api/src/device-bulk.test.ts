import { maxImportBytes } from '@culvert/contracts'
import { claimOperation, readOperationInput, type OperationClaim } from '@culvert/db'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { newDevice, newIccid, openHarness, type Harness } from './testing/harness.ts'

let harness: Harness

beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
})
afterAll(() => harness.close())
beforeEach(async () => void (await harness.pool.query('DELETE FROM operations')))

const ndjson = 'application/x-ndjson'
const claimed = async (): Promise<OperationClaim> => (await claimOperation(harness.pool, 'test')) as OperationClaim

describe('POST /v1/devices/import', () => {
  it('keeps what was sent, whole and in blocks, for a worker', async () => {
    const raw = Buffer.from(`${JSON.stringify({ iccid: newIccid(), name: 'ß' })}\n`.repeat(20_000))
    const answer = await harness.call<{ id: string; state: string }>('POST', '/v1/devices/import?onExisting=skip', {
      raw,
      headers: { 'content-type': `${ndjson}; charset=utf-8` },
    })
    expect([answer.status, answer.body.state, answer.headers['location']]).toEqual([
      202,
      'waiting',
      `/v1/operations/${answer.body.id}`,
    ])
    const claim = await claimed()
    expect(claim).toMatchObject({
      kind: 'device_import',
      validateOnly: false,
      request: { format: 'ndjson', onExisting: 'skip' },
    })
    const blocks = await readOperationInput(harness.pool, claim, 0, 100)
    expect(blocks.length).toBeGreaterThan(1)
    expect(Buffer.concat(blocks).equals(raw)).toBe(true)
  })

  it('takes CSV, and a rehearsal', async () => {
    const answer = await harness.call('POST', '/v1/devices/import?validateOnly=true', {
      raw: `iccid\n${newIccid()}\n`,
      headers: { 'content-type': 'text/csv' },
    })
    expect(answer.body).toMatchObject({ validateOnly: true, kind: 'device_import' })
    expect(await claimed()).toMatchObject({ validateOnly: true, request: { format: 'csv' } })
  })

  it.each(['application/json', 'text/plain', 'multipart/form-data', ''])('refuses %j', async (type) => {
    const answer = await harness.call('POST', '/v1/devices/import', { raw: '{}', headers: { 'content-type': type } })
    expect(answer.status).toBe(415)
  })

  it('refuses what is too large, and keeps nothing of it', async () => {
    const answer = await harness.call('POST', '/v1/devices/import', {
      raw: Buffer.alloc(maxImportBytes + 1, '\n'),
      headers: { 'content-type': ndjson },
    })
    expect([answer.status, answer.body['code']]).toEqual([413, 'payload_too_large'])
    const { rows } = await harness.pool.query(
      'SELECT (SELECT count(*) FROM operations) + (SELECT count(*) FROM operation_inputs) AS kept',
    )
    expect(rows).toEqual([{ kept: '0' }])
  })

  it("refuses another organization's network", async () => {
    const device = await harness.call<{ networkId: string }>('GET', `/v1/devices/${await newDevice(harness.call)}`)
    const answer = await harness.call('POST', `/v1/devices/import?networkId=${device.body.networkId}`, {
      key: harness.other.key,
      raw: '{}\n',
      headers: { 'content-type': ndjson },
    })
    expect([answer.status, answer.body['code']]).toEqual([404, 'not_found'])
  })
})

describe('work on many devices', () => {
  it('is an operation with its filter and its change', async () => {
    const body = {
      filter: { tag: 'a', tagsAll: 'b,c', createdFrom: '2026-01-01T00:00:00Z' },
      change: { addTags: ['d'] },
    }
    expect((await harness.call('POST', '/v1/devices/batch-update?validateOnly=true', { body })).status).toBe(202)
    expect(await claimed()).toMatchObject({
      kind: 'device_update',
      validateOnly: true,
      request: {
        filter: { tagsAll: ['b', 'c', 'a'], createdFrom: '2026-01-01T00:00:00.000Z' },
        change: { addTags: ['d'] },
      },
    })
  })

  it('is never all devices by mistake', async () => {
    for (const body of [{}, { filter: {} }, { filter: { tag: 'a' }, all: true }, { all: false }]) {
      const answer = await harness.call('POST', '/v1/devices/batch-delete', { body })
      expect([answer.status, answer.body['code']]).toEqual([400, 'validation_failed'])
    }
    expect((await harness.call('POST', '/v1/devices/batch-delete', { body: { all: true } })).status).toBe(202)
  })
})

describe('GET /v1/devices/export', () => {
  it('has every device the filter chooses, as NDJSON and CSV, and no other', async () => {
    const iccids = Array.from({ length: 3 }, newIccid)
    for (const iccid of iccids)
      await harness.call('POST', '/v1/devices', { body: { iccid, name: 'a,"b"', tags: ['out', 'b'] } })
    await newDevice(harness.call, harness.other.key)
    const lines = await harness.call('GET', '/v1/devices/export?tag=out')
    expect(lines.headers['content-type']).toBe(ndjson)
    const rows = lines.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { iccid: string })
    expect(rows.map(({ iccid }) => iccid).toSorted()).toEqual(iccids.toSorted())
    const csv = await harness.call('GET', '/v1/devices/export?format=csv&tag=out')
    const [header, ...cells] = csv.text.trimEnd().split('\r\n')
    expect(header).toMatch(/^id,name,iccid,/)
    expect(cells).toHaveLength(3)
    for (const line of cells) expect(line).toMatch(/^dev_[a-z2-7]{20},"a,""b""",89\d+,,,,"out;b",net_/)
    expect((await harness.call('GET', '/v1/devices/export', { key: harness.other.key })).text.split('\n')).toHaveLength(
      2,
    )
  })

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '＝1'])('takes the power of a formula from %s', async (name) => {
    await harness.call('POST', '/v1/devices', { body: { iccid: newIccid(), name, tags: ['formula'] } })
    const csv = await harness.call('GET', `/v1/devices/export?format=csv&name=${encodeURIComponent(name)}`)
    expect(csv.text).toContain(`,"'${name}",`)
    expect(csv.text).not.toContain(`,${name},`)
  })
})
