/**
 * `npm run bench -- open`: from the REST call that opens a tunnel to the first byte from the device, device online, one machine.
 *
 * The customer's program runs beside the API and does what a program would: POST /v1/tunnels, connect, send a request, wait for
 * the first byte. Each tunnel is closed again before the next.
 */
import fs from 'node:fs'
import path from 'node:path'
import { scratchFolder } from '@culvert/services'
import { startPage } from '../support/fleet.ts'
import { withBenchLab } from './bench-lab.ts'
import { openOurs } from './esp-endpoints.ts'
import { printFigure, quantile } from './figure.ts'

const rounds = process.argv.includes('--quick') ? 30 : 200

await withBenchLab(async (bench) => {
  const ours = await openOurs(bench)
  const folder = await scratchFolder()
  bench.atEnd(async () => fs.rmSync(folder, { recursive: true, force: true }))
  const file = path.join(folder, 'file')
  fs.writeFileSync(file, 'file')
  await startPage(ours.far, ours.farAddress, 8080, file)
  const { stdout } = await ours.culvert.server.exec(
    process.execPath,
    [path.join(import.meta.dirname, 'open-client.ts'), ours.device.id, '8080', String(rounds)],
    { timeoutMs: 120_000, env: { ...process.env, CULVERT_API_KEY: ours.culvert.acmeKey } },
  )
  const times = JSON.parse(stdout) as { firstByteMs: number[]; openMs: number[] }
  printFigure({ figure: 'open.first_byte_ms.p50', values: times.firstByteMs, unit: 'ms' })
  printFigure(
    { figure: 'open.first_byte_ms.p99', values: times.firstByteMs, unit: 'ms' },
    quantile(times.firstByteMs, 0.99),
  )
  printFigure({ figure: 'open.call_ms.p50', values: times.openMs, unit: 'ms', note: 'the REST call alone' })
})
