import type { AttachmentRecord } from '@culvert/concentrator-core'
import type { SaCounters } from '@culvert/dataplane'
import type { Spi } from '@culvert/ikev2'
import { expect, it } from 'vitest'
import { createSaCounting } from './sa-counting.ts'

it('writes the counters of SAs that carried something since they were written, until there is a row', async () => {
  const { counting, octets, rows, writes } = scene([1, 2, 3])
  await counting.count()
  expect(writes).toEqual([])
  octets.set(2, 100)
  await counting.count()
  rows.add(2)
  await counting.count()
  await counting.count()
  expect(writes).toEqual([['2=100'], ['2=100']])
  octets.set(2, 101).set(3, 5)
  await counting.count()
  expect(writes.at(-1)).toEqual(['2=101', '3=5'])
})

it('begins anew with an SPI that was given to another SA, and repeats what the database refused', async () => {
  const { counting, octets, rows, writes, attached, database } = scene([1])
  rows.add(1)
  octets.set(1, 100)
  database.isAway = true
  await expect(counting.count()).rejects.toThrow('away')
  database.isAway = false
  await counting.count()
  attached.clear()
  await counting.count()
  attached.add(1)
  await counting.count()
  expect(writes).toEqual([['1=100'], ['1=100'], ['1=100']])
})

function scene(spis: readonly number[]) {
  const attached = new Set(spis)
  const octets = new Map<number, number>()
  /** Inbound SPIs that have a row. */
  const rows = new Set<number>()
  const writes: string[][] = []
  const database = { isAway: false }
  const counting = createSaCounting({
    registry: {
      attached: () =>
        [...attached].map(
          (spiIn) => ({ deviceId: `dev_${spiIn}`, children: [{ summary: { spiIn } }] }) as unknown as AttachmentRecord,
        ),
    },
    dataPlane: {
      readSaCounters: (asked) => Promise.resolve(asked.map((spiIn) => counters(spiIn, octets.get(spiIn) ?? 0))),
    },
    write(counted) {
      writes.push(counted.map(({ spiIn, bytesIn }) => `${spiIn}=${bytesIn}`))
      if (database.isAway) return Promise.reject(new Error('away'))
      return Promise.resolve(rows)
    },
  })
  return { counting, octets, rows, writes, attached, database }
}

function counters(spiIn: Spi, bytesIn: number): SaCounters {
  return { spiIn, packetsIn: 1, bytesIn, packetsOut: 0, bytesOut: 0, drops: {} }
}
