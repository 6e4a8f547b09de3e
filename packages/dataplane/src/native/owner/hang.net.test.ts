/**
 * A data thread that hangs for good, as the owner of the data plane sees it.
 */
import type * as WorkerThreads from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { ForwardingLab } from '../../../test/forwarding-lab.ts'
import type * as PulseWatch from './pulse-watch.ts'

/** In each worker: once the first word of its switch is set, the thread waits for something that never comes. */
const HANGS = `data:text/javascript,${encodeURIComponent(`
  import { workerData } from 'node:worker_threads'
  const { hang } = workerData
  setInterval(() => { if (Atomics.load(hang, 0) === 1) Atomics.wait(hang, 1, 0) }, 5).unref()
`)}`

const switches = vi.hoisted((): Int32Array[] => [])
vi.mock('node:worker_threads', async (importOriginal) => {
  const original = await importOriginal<typeof WorkerThreads>()
  class HangingWorker extends original.Worker {
    constructor(file: URL, options: WorkerThreads.WorkerOptions) {
      const hang = new Int32Array(new SharedArrayBuffer(8))
      switches.push(hang)
      const execArgv = [...(options.execArgv ?? []), '--import', HANGS]
      super(file, { ...options, execArgv, workerData: { ...(options.workerData as object), hang } })
    }
  }
  return { ...original, Worker: HangingWorker }
})
vi.mock('./pulse-watch.ts', async (importOriginal) => ({
  ...(await importOriginal<typeof PulseWatch>()),
  LOOK_INTERVAL_MS: 300, // patience in looks is as it is
}))

describe('a data thread that hangs', () => {
  let lab: ForwardingLab

  beforeAll(async () => {
    lab = await ForwardingLab.create(`cvhg-${process.pid}`, {
      concentrator: 'native',
      device: 'native',
      dataThreads: 2,
    })
  })
  afterAll(() => lab.close())

  it('ends the data plane, once, and the next one takes over port and TUN', async () => {
    const { plane, notices } = lab.concentrator
    Atomics.store(switches[1]!, 0, 1)
    await vi.waitFor(
      () => expect(notices.failures.map(({ message }) => message)).toEqual(['data worker 1 does not answer']),
      { timeout: 60_000, interval: 20 },
    )
    await plane.close()
    expect(notices.failures).toHaveLength(1)
    await lab.restartConcentrator()
    expect(lab.concentrator.plane.description).toContain('2 data threads')
    expect(lab.device.notices.failures).toEqual([])
  })
})
