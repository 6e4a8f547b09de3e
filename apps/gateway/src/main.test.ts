import { createDatabase, waitFor } from '@culvert/testkit'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, inject, test } from 'vitest'
import { visit, World, echo, playDevice } from './testing/world.ts'

interface Run {
  readonly child: ChildProcess
  output(): string
  errors(): string
  /** @returns the exit code */
  ended(): Promise<number | null>
}

describe('the process', () => {
  test('says in one sentence that Postgres cannot be reached, and ends with 1', async () => {
    const run = gatewayProcess({ DATABASE_URL: 'postgresql://culvert:secret-word@127.0.0.1:1/culvert' })
    expect(await run.ended()).toBe(1)
    expect(run.errors()).toBe('The gateway cannot reach PostgreSQL: check DATABASE_URL and that the server runs.\n')
  })

  test.each([
    [{ DATABASE_URL: '' }, /DATABASE_URL .* is not set/],
    [{ GATEWAY_PORT_RANGE: '300-200' }, /GATEWAY_PORT_RANGE/],
    [{ GATEWAY_PUBLIC_HOST: '' }, /GATEWAY_PUBLIC_HOST .* is not set/],
  ])('names the setting that is wrong: %j', async (env, sentence) => {
    const run = gatewayProcess(env)
    expect(await run.ended()).toBe(1)
    expect(run.errors()).toMatch(sentence)
    expect(run.errors().trim().split('\n')).toHaveLength(1)
  })

  test('serves until SIGTERM, then says it has stopped', async () => {
    const world = new World(await createDatabase(inject('databaseUrl')))
    await world.lay()
    const device = await playDevice(echo)
    const deviceId = await world.addDevice('127.0.0.1')
    const run = gatewayProcess({ DATABASE_URL: world.databaseUrl, GATEWAY_PORT_RANGE: '21400-21419' })
    await waitFor(() => run.output().includes('gateway is ready'), { message: 'the gateway to be ready' })
    const { port } = await world.openPort({ deviceId, devicePort: device.port })
    expect((await visit(port, 'hello')).text).toBe('hello')
    run.child.kill('SIGTERM')
    expect(await run.ended()).toBe(0)
    const { rows } = await world.pool.query(`SELECT state, port_from FROM gateways WHERE id = 'gw-1'`)
    expect(rows).toEqual([{ state: 'stopped', port_from: 21_400 }])
    await world.pool.end()
    device.server.close()
  })

  test('ends with 1 when another process takes its name', async () => {
    const world = new World(await createDatabase(inject('databaseUrl')))
    const run = gatewayProcess({ DATABASE_URL: world.databaseUrl, GATEWAY_PORT_RANGE: '21420-21429' })
    await waitFor(() => run.output().includes('gateway is ready'), { message: 'the gateway to be ready' })
    await world.pool.query(`UPDATE gateways SET started_at = started_at + interval '1 second'`)
    expect(await run.ended()).toBe(1)
    expect(run.output()).toContain('another process has registered as gateway gw-1')
    expect((await world.pool.query('SELECT state FROM gateways')).rows).toEqual([{ state: 'ready' }])
    await world.pool.end()
  })
})

function gatewayProcess(env: Record<string, string>): Run {
  const entry = fileURLToPath(new URL('./main.ts', import.meta.url))
  const child = spawn(process.execPath, ['--conditions=source', entry], {
    env: {
      DATABASE_URL: 'postgresql://127.0.0.1:1/none',
      NODE_NAME: 'gw-1',
      GATEWAY_BIND: '127.0.0.1',
      GATEWAY_PUBLIC_HOST: 'gw.example.net',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let errors = ''
  child.stdout.on('data', (data: Buffer) => (output += data.toString()))
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()))
  const closed = once(child, 'close')
  return {
    child,
    output: () => output,
    errors: () => errors,
    ended: async () => {
      await closed
      return child.exitCode
    },
  }
}
