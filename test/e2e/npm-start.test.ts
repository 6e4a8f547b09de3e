/** `npm start` as a person has it: it comes, goes, comes back and survives being killed. */
import { markIsAlive } from '@culvert/services'
import { labMissing } from '@culvert/testkit'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { privateMachine, stop, type PrivateMachine } from '../support/npm-start.ts'

describe.skipIf(labMissing())('npm start', () => {
  let machine: PrivateMachine

  beforeAll(async () => void (machine = await privateMachine()))
  afterAll(() => machine?.close())

  test('reaches the demo device, leaves nothing after SIGTERM, continues with the same device, survives kill -9', async () => {
    const { data, inside } = machine
    const first = await machine.start()
    expect(await inside('curl', ['--silent', '--max-time', '10', first.url])).not.toBe('')
    expect(fs.statSync(path.join(data, 'first-key')).mode & 0o777).toBe(0o600)
    expect(fs.statSync(path.join(data, 'sealing-key')).mode & 0o777).toBe(0o600)
    expect(fs.statSync(path.join(data, 'authority.pem')).mode & 0o777).toBe(0o600)
    expect(await inside('ip', ['route', 'get', '192.0.2.1'])).toContain('dev eth0') // the machine keeps its gateway
    const { children } = runRecord()
    expect(children.filter(markIsAlive)).toHaveLength(6)
    expect(await stop(first.launcher)).toBe(0)
    expect(faults()).toEqual([])
    await expectNothingLeft()
    expect(children.filter(markIsAlive)).toEqual([])

    const second = await machine.start()
    expect(second.device).toBe(first.device)
    expect(second.key).toBe(first.key)
    expect(await inside('curl', ['--silent', '--max-time', '10', second.url])).not.toBe('')
    const gone = once(second.launcher, 'exit')
    process.kill(Number.parseInt(runRecord().launcher, 10), 'SIGKILL')
    await gone

    const third = await machine.start()
    expect(third.device).toBe(first.device)
    expect(await inside('curl', ['--silent', '--max-time', '10', third.url])).not.toBe('')
    expect(await stop(third.launcher)).toBe(0)
    expect(faults()).toEqual([])
    await expectNothingLeft()
  })

  test('a database that cannot be reached is one sentence and exit code 1', async () => {
    const { launcher, output } = machine.launch({ DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing' })
    const [code] = (await once(launcher, 'exit')) as [number]
    expect(code).toBe(1)
    expect(output()).toContain('PostgreSQL at 127.0.0.1:1 (DATABASE_URL) cannot be reached')
    expect(output()).not.toContain('    at ')
    await expectNothingLeft()
  })

  function runRecord(): { launcher: string; children: string[] } {
    const text = fs.readFileSync(path.join(machine.data, 'run.json'), 'utf8')
    return JSON.parse(text) as { launcher: string; children: string[] }
  }

  /** Lines that tell of something broken; one without a right in the database may say so at a lower level. */
  function faults(): string[] {
    const folder = path.join(machine.data, 'logs')
    const lines = fs.readdirSync(folder).flatMap((file) => fs.readFileSync(path.join(folder, file), 'utf8').split('\n'))
    expect(lines.filter((line) => line.startsWith('{"level":"info"'))).not.toEqual([])
    return lines.filter((line) => /^\{"level":"(error|fatal)"|permission denied/.test(line))
  }

  async function expectNothingLeft(): Promise<void> {
    expect(await machine.inside('ip', ['netns', 'list'])).toBe('')
    const links = await machine.inside('ip', ['-oneline', 'link', 'show'])
    expect(links.split('\n').filter((line) => line.includes('culvert'))).toEqual([])
    expect(fs.existsSync(path.join(machine.data, 'run.json'))).toBe(false)
    expect(machine.strangers()).toEqual([])
  }
})
