import {
  addOperationInput,
  claimOperation,
  createDevice,
  createNetwork,
  ensureOrganization,
  findOperation,
  newId,
  openPool,
  readOperationFaults,
  receivedOperation,
  startOperation,
  systemAuthor,
  verifyAuditChain,
  type OperationClaim,
  type OperationRecord,
  type Pool,
} from '@culvert/db'
import { luhnCheckDigit } from '@culvert/lifecycle'
import { createDatabase, waitFor } from '@culvert/testkit'
import { afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { runWorker, type RunningWorker } from '../index.ts'
import { importDevices } from './import-devices.ts'

let databaseUrl = ''
let pool: Pool
let organizationId = ''
const workers: RunningWorker[] = []

beforeAll(async () => {
  databaseUrl = await createDatabase(inject('databaseUrl'))
  pool = openPool(databaseUrl)
  return () => pool.end()
})
beforeEach(async () => {
  organizationId = (await ensureOrganization(pool, { name: 'Acme', slug: newId('org').replace('_', '-') })).id
})
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.close()))
  await pool.query('DELETE FROM operations')
})

function iccid(number: number): string {
  const digits = `8944${String(number).padStart(15, '0')}`
  return digits + luhnCheckDigit(digits)
}

interface Settings {
  readonly onExisting?: 'fail' | 'skip' | 'update'
  readonly validateOnly?: boolean
  readonly blockBytes?: number
  readonly networkId?: string
  readonly withheldTags?: readonly string[]
}

async function begin(format: 'ndjson' | 'csv', content: string | Buffer, settings: Settings = {}): Promise<string> {
  const {
    validateOnly = false,
    blockBytes = 1_000,
    onExisting = 'fail',
    networkId = null,
    withheldTags = [],
  } = settings
  const request = {
    format,
    onExisting,
    networkId,
    zone: 'test',
    servicePrefix: '10.127.0.0/24',
    pool6Prefix: 'fd00::/48',
    blockBytes,
    withheldTags,
  }
  const wanted = { kind: 'device_import', request, validateOnly, receiving: true }
  const operation = await startOperation(pool, organizationId, wanted, { by: systemAuthor('test') })
  if (typeof operation === 'string') throw new Error(operation)
  const all = Buffer.from(content)
  for (let number = 0; number * blockBytes < all.length; number++) {
    const block = all.subarray(number * blockBytes, (number + 1) * blockBytes)
    await addOperationInput(pool, organizationId, operation.id, { number, content: block })
  }
  await receivedOperation(pool, organizationId, operation.id, {})
  return operation.id
}

async function ended(id: string): Promise<OperationRecord> {
  if (workers.length === 0) workers.push(runWorker({ databaseUrl, sweepIntervalMs: 50 }))
  return waitFor(
    async () => {
      const operation = await findOperation(pool, organizationId, id)
      return operation?.finishedAt ? operation : null
    },
    { timeoutMs: 20_000 },
  )
}

async function run(
  format: 'ndjson' | 'csv',
  content: string | Buffer,
  settings?: Settings,
): Promise<OperationRecord & { faults: string[] }> {
  const id = await begin(format, content, settings)
  const operation = await ended(id)
  const faults = await readOperationFaults(pool, organizationId, id, { after: null, limit: 1_000 })
  return { ...operation, faults: faults.map(({ row, pointer, message }) => `${row} ${pointer} ${message}`) }
}

async function devices(): Promise<Record<string, unknown>[]> {
  const { rows } = await pool.query(
    `SELECT iccid, name, tags, tunnelable, lan_prefixes AS lans, version FROM devices WHERE organization_id = $1 AND deleted_at IS NULL ORDER BY iccid`,
    [organizationId],
  )
  return rows
}

async function newNetwork(name: string, organization = organizationId): Promise<string> {
  const settings = { name, pool4: null, poolBits: 24, pool6Prefix: 'fd00::/48', settings: {} }
  const network = await createNetwork(pool, organization, settings, { by: systemAuthor('test') })
  if (typeof network === 'string') throw new Error(network)
  return network.id
}

async function faultsOf(id: string): Promise<string[]> {
  const faults = await readOperationFaults(pool, organizationId, id, { after: null, limit: 10_000 })
  return faults.map(({ pointer, message }) => `${pointer} ${message}`)
}

const ndjson = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('')

describe('an import', () => {
  it('registers a device for each line, with address, event and audit entry', async () => {
    const rows = Array.from({ length: 1_200 }, (_, index) => ({ iccid: iccid(index), tags: ['a', `n:${index % 7}`] }))
    const operation = await run('ndjson', ndjson(rows), { blockBytes: 4_096 })
    expect(operation).toMatchObject({
      state: 'succeeded',
      processed: 1_200,
      succeeded: 1_200,
      failed: 0,
      result: { created: 1_200, updated: 0, skipped: 0, failed: 0 },
    })
    const { rows: found } = await pool.query(
      `SELECT count(*)::int AS devices, count(DISTINCT address4)::int AS addresses, count(DISTINCT address6)::int AS six,
         (SELECT count(*)::int FROM events e WHERE e.organization_id = $1 AND type = 'device.created' AND sequence = 1) AS events,
         (SELECT count(*)::int FROM audit_log l WHERE l.organization_id = $1 AND action = 'device.created') AS audits,
         (SELECT count(*)::int FROM device_tags t WHERE t.organization_id = $1 AND tag = 'a') AS tags
       FROM devices WHERE organization_id = $1`,
      [organizationId],
    )
    expect(found[0]).toEqual({
      devices: 1_200,
      addresses: 1_200,
      six: 1_200,
      events: 1_200,
      audits: 1_200,
      tags: 1_200,
    })
    expect((await verifyAuditChain(pool, organizationId)).fault).toBeNull()
    expect((await pool.query('SELECT 1 FROM operation_inputs')).rowCount).toBe(0)
  })

  it('tells each row with a fault, by its number and field, and registers the others', async () => {
    const lines = [
      JSON.stringify({ iccid: iccid(1), name: 'good' }),
      '{"iccid": 7}',
      '',
      'no json',
      '[]',
      JSON.stringify({ iccid: iccid(2), colour: 'red' }),
      JSON.stringify({ iccid: `${iccid(3).slice(0, -1)}x` }),
      JSON.stringify({ iccid: iccid(1) }),
      JSON.stringify({ iccid: iccid(4), lanPrefixes: ['10.128.0.0/16'] }),
      `{"iccid":"${iccid(5)}","name":"${'x'.repeat(70_000)}"}`,
      `{"iccid":"${iccid(5)}","\\u0000":1}`,
      JSON.stringify({ iccid: iccid(6) }),
    ]
    const bytes = Buffer.concat([Buffer.from(lines.join('\r\n')), Buffer.from('\n{"name":"\xff"}', 'latin1')])
    const operation = await run('ndjson', bytes, { blockBytes: 777 })
    expect(operation).toMatchObject({ state: 'succeeded', processed: 12, succeeded: 2, failed: 10 })
    expect(operation.faults.map((fault) => fault.split(' ').slice(0, 2).join(' '))).toEqual([
      '2 /iccid',
      '3 ',
      '4 ',
      '5 /colour',
      '6 /iccid',
      '7 /iccid',
      '8 /lanPrefixes/0',
      '9 ',
      '10 /\ufffd',
      '12 ',
    ])
    expect((await devices()).map(({ name }) => name)).toEqual(['good', `SIM ${iccid(6)}`])
  })

  it('puts no tag on a device that would open it to who asked', async () => {
    const rows = [
      { iccid: iccid(1), tags: ['a', 'site:berlin'] },
      { iccid: iccid(2), tags: ['a'] },
    ]
    const operation = await run('ndjson', ndjson(rows), { withheldTags: ['site:berlin'] })
    expect(operation.faults).toEqual(['1 /tags/1 opens the device to who asked for the import'])
    expect((await devices()).map((device) => device['iccid'])).toEqual([iccid(2)])
  })

  it('reads CSV: any order of columns, quotes, lists, empty cells, a byte order mark', async () => {
    const csv = [
      '\ufefftags,name,iccid,tunnelable,lanPrefixes',
      `a;b,"Truck ""7"", north",${iccid(1)},false,192.168.1.0/24;192.168.2.0/24`,
      '',
      `,,${iccid(2)},,`,
      `"x","two\r\nlines",${iccid(3)},true,`,
      `too,few`,
    ].join('\r\n')
    const operation = await run('csv', csv, { blockBytes: 64 })
    expect(operation).toMatchObject({ state: 'succeeded', processed: 4, succeeded: 2, failed: 2 })
    expect(operation.faults).toEqual([expect.stringMatching(/^3 \/name /), '4  has 2 cells, the header has 5'])
    expect(await devices()).toEqual([
      {
        iccid: iccid(1),
        name: 'Truck "7", north',
        tags: ['a', 'b'],
        tunnelable: false,
        lans: ['192.168.1.0/24', '192.168.2.0/24'],
        version: 1,
      },
      { iccid: iccid(2), name: `SIM ${iccid(2)}`, tags: [], tunnelable: true, lans: [], version: 1 },
    ])
  })

  it.each([
    ['without a header', ''],
    ['with a column twice', 'iccid,iccid\n'],
    ['whose quotes do not match', `iccid,name\n${iccid(1)},"open\n${iccid(2)},b\n`],
    ['with a row beyond all bounds', `iccid,name\n${iccid(1)},${'x'.repeat(100_000)}\n`],
  ])('of a CSV %s fails with what is wrong', async (_name, csv) => {
    expect(await run('csv', csv)).toMatchObject({ state: 'failed', error: { code: 'unreadable_rows' } })
  })

  it('refuses, skips or changes devices that are there', async () => {
    await run(
      'ndjson',
      ndjson([
        { iccid: iccid(1), name: 'one', tags: ['old'] },
        { iccid: iccid(2), name: 'two' },
      ]),
    )
    const again = ndjson([{ iccid: iccid(1), tags: ['new'] }, { iccid: iccid(2), name: 'two' }, { iccid: iccid(3) }])
    const refused = await run('ndjson', again)
    expect(refused).toMatchObject({ result: { created: 1, updated: 0, skipped: 0, failed: 2 } })
    expect(refused.faults[0]).toBe('1 /iccid belongs to another device')
    expect(await run('ndjson', again, { onExisting: 'skip' })).toMatchObject({
      result: { created: 0, skipped: 3, failed: 0 },
    })
    expect(await run('ndjson', again, { onExisting: 'update' })).toMatchObject({
      result: { created: 0, updated: 1, skipped: 2, failed: 0 },
    })
    expect((await devices()).map(({ name, tags, version }) => [name, tags, version])).toEqual([
      ['one', ['new'], 2],
      ['two', [], 1],
      [`SIM ${iccid(3)}`, [], 1],
    ])
  })

  it('puts each device into the network that its row names, else into that of the import', async () => {
    const [one, two] = [await newNetwork('one'), await newNetwork('two')]
    const { id: foreign } = await ensureOrganization(pool, { name: 'Other', slug: newId('org').replace('_', '-') })
    const foreignNetwork = await newNetwork('theirs', foreign)
    const rows = [
      { iccid: iccid(1), networkId: two },
      { iccid: iccid(2) },
      { iccid: iccid(3), networkId: one },
      { iccid: iccid(4), networkId: `net_${'a'.repeat(20)}` },
      { iccid: iccid(5), networkId: foreignNetwork },
      { iccid: iccid(6), networkId: two },
    ]
    const faults = [
      '4 /networkId is no network of this organization',
      '5 /networkId is no network of this organization',
    ]
    const rehearsed = await run('ndjson', ndjson(rows), { networkId: one, validateOnly: true })
    expect([rehearsed.faults, rehearsed.result]).toEqual([faults, { created: 4, updated: 0, skipped: 0, failed: 2 }])
    const csv = `iccid,networkId\n${rows.map((row) => `${row.iccid},${row.networkId ?? ''}\n`).join('')}`
    const done = await run('csv', csv, { networkId: one })
    expect([done.faults, done.result]).toEqual([faults, { created: 4, updated: 0, skipped: 0, failed: 2 }])
    const networksOf = async (): Promise<unknown[]> => {
      const { rows: found } = await pool.query(
        `SELECT d.network_id AS network, d.address4 << n.pool4 AS fits FROM devices d JOIN networks n ON n.id = d.network_id
         WHERE d.organization_id = $1 ORDER BY d.iccid`,
        [organizationId],
      )
      return found
    }
    const placed = [two, one, one, two].map((network) => ({ network, fits: true }))
    expect(await networksOf()).toEqual(placed)

    const again = [
      { iccid: iccid(1), networkId: one, name: 'moved' },
      { iccid: iccid(2), networkId: one, name: 'named' },
    ]
    const updated = await run('ndjson', ndjson(again), { onExisting: 'update' })
    expect(updated.result).toEqual({ created: 0, updated: 1, skipped: 0, failed: 1 })
    expect(updated.faults).toEqual(['1 /networkId is not the network that the device is in'])
    expect(await networksOf()).toEqual(placed)
    expect((await devices()).map(({ name }) => name)).not.toContain('moved')
  })

  it('and registrations of the same devices at the same time make each one once', async () => {
    const count = 1_200
    const id = await begin('ndjson', ndjson(Array.from({ length: count }, (_, index) => ({ iccid: iccid(index) }))))
    const other = await newNetwork('other')
    const single = async (number: number): Promise<boolean> => {
      const numbers = { iccid: iccid(number), imsi: null, imei: null, eid: null }
      const rest = { name: null, tags: [], tunnelable: true, lanPrefixes: [], proposalTiers: null, zone: 'test' }
      const networkId = number % 2 === 0 ? other : undefined
      const made = await createDevice(
        pool,
        { organizationId, ...numbers, ...rest, networkId },
        { by: systemAuthor('test') },
      )
      return typeof made === 'object'
    }
    const importing = ended(id)
    const turns = Array.from({ length: 4 }, async (_, lane) => {
      let made = 0
      for (let number = count - 1 - lane; number >= 0; number -= 16) if (await single(number)) made += 1
      return made
    })
    const singles = (await Promise.all(turns)).reduce((sum, made) => sum + made, 0)
    const { result, faults } = { ...(await importing), faults: await faultsOf(id) }
    expect(result).toMatchObject({ created: count - singles, failed: singles })
    expect(new Set(faults)).toEqual(singles > 0 ? new Set(['/iccid belongs to another device']) : new Set())
    const { rows } = await pool.query(
      `SELECT count(*)::int AS devices, count(DISTINCT iccid)::int AS iccids, count(DISTINCT address4)::int AS addresses,
         (SELECT count(*)::int FROM events WHERE organization_id = $1 AND type = 'device.created') AS events
       FROM devices WHERE organization_id = $1`,
      [organizationId],
    )
    expect(rows[0]).toEqual({ devices: count, iccids: count, addresses: count, events: count })
  })

  it('that is a rehearsal tells the same faults and registers nothing, also when it goes on elsewhere', async () => {
    await run('ndjson', ndjson([{ iccid: iccid(9_999) }]))
    const rows = [
      ...Array.from({ length: 600 }, (_, index) => ({ iccid: iccid(index) })),
      { iccid: iccid(5) },
      { iccid: iccid(9_999) },
      {},
    ]
    await workers.pop()?.close()
    const id = await begin('ndjson', ndjson(rows), { validateOnly: true })
    const claim = (await claimOperation(pool, 'killed')) as OperationClaim
    await importDevices(claim, { pool, queues: {} as never }).step(claim)
    await pool.query(`UPDATE operations SET lease_until = now() - interval '1 second'`)
    expect(await ended(id)).toMatchObject({ state: 'succeeded', result: { created: 600, failed: 3 } })
    const faults = await readOperationFaults(pool, organizationId, id, { after: null, limit: 10 })
    expect(faults.map(({ row, message }) => [row, message])).toEqual([
      [601, 'is in a row before'],
      [602, 'belongs to another device'],
      [603, 'is required'],
    ])
    expect(await devices()).toHaveLength(1)
  })

  it('goes on where a killed worker was, in NDJSON and CSV, and registers no device twice', async () => {
    for (const format of ['ndjson', 'csv'] as const) {
      const base = format === 'csv' ? 10_000 : 0
      const rows = Array.from({ length: 1_700 }, (_, index) => ({
        iccid: iccid(base + index),
        name: `Gerät "${index}", ß`,
      }))
      const csv = `name,iccid\r\n${rows.map((row) => `"${row.name.replaceAll('"', '""')}",${row.iccid}\r\n`).join('')}`
      await Promise.all(workers.splice(0).map((worker) => worker.close()))
      const id = await begin(format, format === 'csv' ? csv : ndjson(rows), { blockBytes: 10_000 })
      let claim = (await claimOperation(pool, 'killed')) as OperationClaim
      const work = importDevices(claim, { pool, queues: {} as never })
      for (let step = 0; step < 2; step++) claim = (await work.step(claim)) as OperationClaim
      expect(claim.processed).toBe(1_000)
      await pool.query(`UPDATE operations SET lease_until = now() - interval '1 second'`)
      expect(await ended(id)).toMatchObject({ processed: 1_700, result: { created: 1_700, failed: 0 } })
      await expect(work.step(claim)).rejects.toThrow('is not ours any more')
    }
    expect(new Set((await devices()).map((device) => device['iccid'])).size).toBe(3_400)
    expect(await devices()).toHaveLength(3_400)
  })
})
