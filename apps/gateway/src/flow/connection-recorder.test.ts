import type { ConnectionRow } from '@culvert/db'
import { beforeEach, describe, expect, test, vi, afterEach } from 'vitest'
import { ConnectionRecorder } from './connection-recorder.ts'
import { RefusalBudget } from './refusal-budget.ts'

const port = { organizationId: 'org_a', tunnelId: 'tun_a', portId: 'prt_a' }
const warnings: string[] = []
const noDatabase = (): Error => Object.assign(new Error('away'), { code: 'ECONNREFUSED' })

function recorder(write: (rows: readonly ConnectionRow[]) => Promise<void>, maxRows = 100): ConnectionRecorder {
  return new ConnectionRecorder({
    write,
    budget: new RefusalBudget({ perPort: 3, total: 3 }),
    maxRows,
    log: { warn: (_fields, message) => void warnings.push(message) },
  })
}

beforeEach(() => {
  vi.useFakeTimers()
  warnings.length = 0
})
afterEach(() => vi.useRealTimers())

describe('the access log', () => {
  test('a connection that opened and closed between two writes is written once, as closed', async () => {
    const written: ConnectionRow[] = []
    const log = recorder(async (rows) => void written.push(...rows))
    const row = log.begin(port, '192.0.2.1', 4_000)
    log.opened(row)
    log.closed(row, { bytesUp: 3, bytesDown: 4 }, 'client_closed')
    await vi.advanceTimersByTimeAsync(1_000)
    expect(written).toEqual([
      expect.objectContaining({ id: row.id, state: 'closed', reason: 'client_closed', bytesUp: 3, bytesDown: 4 }),
    ])
  })

  test('rows wait while Postgres is away, with their newest state', async () => {
    let away = true
    const written: ConnectionRow[] = []
    const log = recorder(async (rows) => {
      if (away) throw noDatabase()
      written.push(...rows)
    })
    const row = log.begin(port, '192.0.2.1', 4_000)
    log.opened(row)
    await vi.advanceTimersByTimeAsync(5_000)
    log.closed(row, { bytesUp: 1, bytesDown: 1 }, 'device_closed')
    await vi.advanceTimersByTimeAsync(5_000)
    expect(written).toEqual([])
    away = false
    await vi.advanceTimersByTimeAsync(20_000)
    expect(written.map(({ state }) => state)).toEqual(['closed'])
  })

  test('a row that is closed while its open state is being written is written again', async () => {
    const written: ConnectionRow[] = []
    const gates: (() => void)[] = []
    const log = recorder(async (rows) => {
      await new Promise<void>((resolve) => gates.push(resolve))
      written.push(...rows)
    })
    const row = log.begin(port, '192.0.2.1', 4_000)
    log.opened(row)
    await vi.advanceTimersByTimeAsync(1_000)
    log.closed(row, { bytesUp: 1, bytesDown: 1 }, 'device_closed')
    gates.shift()?.()
    await vi.advanceTimersByTimeAsync(1_000)
    gates.shift()?.()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(written.map(({ state }) => state)).toEqual(['open', 'closed'])
  })

  test('a row that Postgres refuses is given up alone and does not keep the others back', async () => {
    const written: ConnectionRow[] = []
    const log = recorder(async (rows) => {
      if (rows.some((row) => row.clientPort === 2)) throw Object.assign(new Error('poison'), { code: '22P02' })
      written.push(...rows)
    })
    for (const clientPort of [1, 2, 3]) log.opened(log.begin(port, '192.0.2.1', clientPort))
    await vi.advanceTimersByTimeAsync(1_000)
    expect(written.map((row) => row.clientPort)).toEqual([1, 3])
    await vi.advanceTimersByTimeAsync(20_000)
    expect(written).toHaveLength(2)
    expect(warnings).toContain('connection rows were given up')
  })

  test('memory is bounded, and what was given up is said', async () => {
    let away = true
    const written: ConnectionRow[] = []
    const log = recorder(async (rows) => {
      if (away) throw noDatabase()
      written.push(...rows)
    }, 10)
    const ids = Array.from({ length: 25 }, () => {
      const row = log.begin(port, '192.0.2.1', 4_000)
      log.opened(row)
      return row.id
    })
    await vi.advanceTimersByTimeAsync(1_000)
    away = false
    await vi.advanceTimersByTimeAsync(20_000)
    expect(written.map(({ id }) => id)).toEqual(ids.slice(-10))
    expect(warnings).toContain('connection rows were given up')
  })

  test('refusals beyond the budget are counted, not written', async () => {
    const written: ConnectionRow[] = []
    const log = recorder(async (rows) => void written.push(...rows))
    for (let count = 0; count < 50; count++) log.refused(log.begin(port, '192.0.2.1', count), 'not_allowed')
    await vi.advanceTimersByTimeAsync(1_000)
    expect(written).toHaveLength(3)
    expect(warnings).toEqual(['refused connections beyond the limit were not recorded one by one'])
  })

  test('draining writes everything at once, and gives up when Postgres does not answer', async () => {
    const batches: number[] = []
    const log = recorder(async (rows) => void batches.push(rows.length), 10_000)
    for (let count = 0; count < 1_200; count++) log.opened(log.begin(port, '192.0.2.1', count))
    await log.drain()
    expect(batches).toEqual([500, 500, 200])
    const away = recorder(() => Promise.reject(noDatabase()))
    away.opened(away.begin(port, '192.0.2.1', 1))
    await away.drain()
    expect(warnings).toContain('connection rows could not be written, trying again')
  })
})
