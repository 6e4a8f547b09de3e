/** The API as a process of its own, for tests that kill it or what it needs. */
import { waitFor } from '@culvert/testkit'
import { spawn } from 'node:child_process'
import net from 'node:net'
import { fileURLToPath } from 'node:url'

export interface ApiProcess {
  readonly url: string
  isAlive(): boolean
  /** With SIGKILL: nothing is finished. */
  kill(): void
}

const main = fileURLToPath(new URL('../main.ts', import.meta.url))

/** Resolves when it is ready. */
export async function startApiProcess(settings: Record<string, string>): Promise<ApiProcess> {
  const port = await freePort()
  const child = spawn(process.execPath, ['--conditions=source', main], {
    env: { PATH: process.env['PATH'], API_PORT: String(port), LOG_LEVEL: 'error', ...settings },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const url = `http://127.0.0.1:${port}`
  const isReady = (): Promise<boolean> =>
    fetch(`${url}/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    )
  await waitFor(isReady, { timeoutMs: 40_000, message: 'the API to be ready' })
  return {
    url,
    isAlive: () => child.exitCode === null && child.signalCode === null,
    kill: () => void child.kill('SIGKILL'),
  }
}

async function freePort(): Promise<number> {
  const server = net.createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as net.AddressInfo
  await new Promise((done) => server.close(done))
  return port
}
