/**
 * The guide docs/guides/first-byte.md as a newcomer follows it: its blocks, one after the other in one shell, beside an `npm start`,
 * with a simulated device behind.
 */
import { scratchFolder } from '@culvert/services'
import { codeBlocks, labMissing, peer } from '@culvert/testkit'
import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { privateMachine, stop, type PrivateMachine, type Started } from '../support/npm-start.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const guide = 'docs/guides/first-byte.md'
const missing = labMissing()

describe.skipIf(missing)(`the guide to the first byte${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let machine: PrivateMachine
  let started: Started
  let home: string
  let checkout: string

  beforeAll(async () => {
    home = await scratchFolder()
    machine = await privateMachine()
    started = await machine.start()
    // For machines without it, where tests run as root: last on PATH.
    fs.writeFileSync(path.join(home, 'sudo'), '#!/bin/sh\nexec "$@"\n', { mode: 0o755 })
    // A checkout of its own, in which `.data` is the folder of this npm start.
    fs.mkdirSync(path.join(ROOT, '.cache'), { recursive: true })
    checkout = fs.mkdtempSync(path.join(ROOT, '.cache/checkout-'))
    for (const name of ['apps', 'node_modules', 'packages'])
      fs.symlinkSync(path.join(ROOT, name), path.join(checkout, name))
    fs.symlinkSync(machine.data, path.join(checkout, '.data'))
  })
  afterAll(async () => {
    if (started) await stop(started.launcher)
    await machine?.close()
    for (const folder of [checkout, home]) if (folder) fs.rmSync(folder, { recursive: true, force: true })
  })

  it('leads from a key to the first byte with curl, and once more with the SDK, and leaves nothing', async () => {
    const blocks = codeBlocks(guide, 'sh')
    const [program = '', ...more] = codeBlocks(guide, 'ts')
    expect(more).toEqual([])
    fs.writeFileSync(path.join(checkout, 'first-byte.ts'), program)
    const { env } = await peer('curl')
    const begin = "set -eo pipefail\ntrap 'jobs -p | xargs -r kill 2> /dev/null || true' EXIT"
    const script = [begin, ...blocks.map((block, index) => `printf '\\n@@ ${index}\\n'\n${block}`)].join('\n')
    const said = await machine.inside('bash', ['-c', script], {
      env: { ...env, HOME: home, PATH: `${env['PATH']}${path.delimiter}${home}` },
      cwd: checkout,
      timeoutMs: 90_000,
    })
    const answers = `\n${said}\n`.split(/\n@@ \d+\n/).slice(1)
    const answerTo = (text: string): string => answers[blocks.findIndex((block) => block.includes(text))] ?? ''

    const [device = '', identity = ''] = answerTo('name": "first device"').trim().split(' is ')
    expect(device).toMatch(/^dev_/)
    expect(answerTo('$API/organization')).toContain('"slug":"first"')
    expect(answerTo('curl -s $API/networks')).toContain('The permission `networks:read` is missing.')
    expect(answerTo('target=generic-json')).toMatch(/^It attaches to \d\S+, which is concentrator\.fleet/)
    expect(answerTo('waitForDevice')).toMatch(new RegExp(`^Hello from ${identity} at 10\\.128\\.\\S+\\nGET /`))
    expect(answerTo('/connections')).toContain('"clientAddress":"127.0.0.1"')
    expect(answerTo("-w '%{http_code}")).toBe('204\n')
    const sdk = answerTo('first-byte.ts\n')
    expect(sdk).toContain(`${device} first device online`)
    expect(sdk).toContain(`Hello from ${identity} at 10.128.`)
    expect(sdk).toContain('The permission `networks:read` is missing.')
    expect(await machine.inside('ip', ['netns', 'list'])).not.toContain('first')
    expect(fs.existsSync(path.join(home, 'first-device.psk'))).toBe(false)
  })
})
