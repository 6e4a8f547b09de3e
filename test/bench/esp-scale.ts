/**
 * `npm run bench -- esp-scale`: what a packet costs the concentrator on its oldest tunnel, with 1, 1000, 4000 and 10 000 tunnels
 * there. The others are idle devices behind one address. CPU that the process spends without any packet (reading and writing
 * counters, which grows with the tunnels) is measured beside it and taken off; it is printed too.
 *
 * `--quick` ends at 4000 tunnels; otherwise strongSwan is measured with 1 and 1000 in the same run.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { startStrongswan, waitFor } from '@culvert/testkit'
import fs from 'node:fs'
import { scratchFolder } from '@culvert/services'
import { registerDevice, waitAttached } from '../support/fleet.ts'
import { withBenchLab, type BenchLab } from './bench-lab.ts'
import { startSimulatedDevice } from './esp-endpoints.ts'
import { median, printFigure } from './figure.ts'
import { sharedSecretFleet, startLoad, startOurs, startTheirs, THEIR_SECRET } from './ike-endpoints.ts'
import { registerFleet } from './ike-fleet.ts'
import { cpuMicroseconds, runIperf, startIperfServer, type Endpoints, type Load } from './iperf.ts'

const quick = process.argv.includes('--quick')
const FILLS = quick ? [1, 1000, 4000] : [1, 1000, 4000, 10_000]
const ROUNDS = quick ? 3 : 5
const SECONDS = quick ? 3 : 5
/** Counters are written every ten. */
const IDLE_SECONDS = 10
const BYTES = 200
const PACKETS_PER_SEC = 20_000
/** strongSwan cannot carry more with many tunnels. */
const THEIR_PACKETS_PER_SEC = 3000

await withBenchLab(measureOurs)
if (!quick) await withBenchLab(measureTheirs)

async function measureOurs(bench: BenchLab): Promise<void> {
  const responder = await startOurs(bench)
  const { culvert, pid } = responder
  const device = await registerDevice(culvert.acme, 'oldest')
  const far = await bench.lab.addHost('simulated', '192.0.2.13/24')
  const folder = await scratchFolder()
  bench.atEnd(async () => fs.rmSync(folder, { recursive: true, force: true }))
  const simulated = startSimulatedDevice(far, device, folder)
  bench.atEnd(() => simulated.stop())
  await waitAttached(culvert.acme, device.id)
  const ends: Endpoints = {
    name: 'culvert',
    near: culvert.tun,
    nearAddress: '10.127.0.1',
    far,
    farAddress: device.address4,
    pids: [pid, simulated.pid],
  }
  await startIperfServer(ends)
  const fleet = await registerFleet(culvert, Math.max(...FILLS))
  const load = await startLoad(bench, responder, fleet, { address: '192.0.2.11', atOnce: 32 })
  await costs(ends, PACKETS_PER_SEC, 0) // the engine's compilers are done with it
  let present = 1
  let alone = Number.NaN
  for (const fill of FILLS) {
    if (fill > present) await load('/attach', present - 1, fill - present)
    present = fill
    await untilRowsWritten(culvert.pool, fill)
    const idle = await idleMicroseconds(pid)
    printFigure({
      figure: `esp.scale${fill}.idle_ms`,
      values: [idle / 1000],
      unit: 'ms',
      note: 'CPU per second at rest',
    })
    const values = await costs(ends, PACKETS_PER_SEC, idle)
    printFigure({ figure: `esp.scale${fill}.cpu_us`, values, unit: 'us', note: `${BYTES} bytes, both directions` })
    if (fill === 1) alone = median(values)
    else printFigure({ figure: `esp.scale${fill}.ratio`, values: values.map((value) => value / alone), unit: 'x' })
  }
}

async function measureTheirs(bench: BenchLab): Promise<void> {
  const responder = await startTheirs(bench)
  const far = await bench.lab.addHost('swandev', '192.0.2.13/24')
  const { remoteAddress, remoteIdentity } = responder.load
  const device = await startStrongswan({
    namespace: far,
    name: 'device',
    logLevel: 0,
    swanctlConf: `connections { concentrator {
      version = 2
      proposals = aes256gcm16-prfsha256-x25519
      remote_addrs = ${remoteAddress}
      vips = 0.0.0.0
      encap = yes
      local { auth = psk
        id = oldest.devices.example }
      remote { auth = psk
        id = ${remoteIdentity} }
      children { net { remote_ts = 10.98.0.0/24
        esp_proposals = aes256gcm16 } } } }
    secrets { ike-any { secret = "${THEIR_SECRET}" } }`,
  })
  bench.atEnd(() => device.stop())
  await device.initiate({ child: 'net' })
  const farAddress = await waitFor(async () => (await device.listSas())[0]?.localVips[0], { message: 'an address' })
  const ends: Endpoints = {
    name: responder.name,
    near: responder.host,
    nearAddress: '10.98.0.1',
    far,
    farAddress,
    pids: [responder.pid, device.pid],
  }
  await startIperfServer(ends)
  const load = await startLoad(bench, responder, sharedSecretFleet(1000), { address: '192.0.2.12', atOnce: 32 })
  const alone = await costs(ends, THEIR_PACKETS_PER_SEC, 0)
  printFigure({ figure: 'esp.scale1.strongswan.cpu_us', values: alone, unit: 'us' })
  await load('/attach', 0, 1000)
  const values = await costs(ends, THEIR_PACKETS_PER_SEC, 0)
  printFigure({ figure: 'esp.scale1000.strongswan.cpu_us', values, unit: 'us' })
  const ratios = values.map((value) => value / median(alone))
  printFigure({ figure: 'esp.scale1000.strongswan.ratio', values: ratios, unit: 'x' })
}

/**
 * CPU microseconds of the concentrator per packet, mean of both directions.
 *
 * @param idle microseconds per second that it spends at rest
 */
async function costs(ends: Endpoints, packetsPerSec: number, idle: number): Promise<number[]> {
  const values: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    let sum = 0
    for (const reverse of [false, true]) {
      const load: Load = {
        seconds: SECONDS,
        reverse,
        streams: 1,
        udp: { bytes: BYTES, mbitPerSec: (packetsPerSec * BYTES * 8) / 1e6 },
      }
      sum += (await runIperf(ends, load)).nearCpuUs - idle / packetsPerSec
    }
    values.push(sum / 2)
  }
  return values
}

/** CPU microseconds per second without a packet. */
async function idleMicroseconds(pid: number): Promise<number> {
  const before = cpuMicroseconds(pid)
  await sleep(IDLE_SECONDS * 1000)
  return (cpuMicroseconds(pid) - before) / IDLE_SECONDS
}

async function untilRowsWritten(
  pool: Awaited<ReturnType<typeof startOurs>>['culvert']['pool'],
  count: number,
): Promise<void> {
  await waitFor(
    async () => {
      const { rows } = await pool.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM attachments WHERE state = 'attached'`,
      )
      return rows[0]?.n === count
    },
    { timeoutMs: 120_000, message: `${count} attachments` },
  )
}
