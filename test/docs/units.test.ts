/** infra/systemd: a unit for every process of a server, which systemd can read, and which starts what is there. */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { readUnit } from '../support/unit-capabilities.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
/** A device is no process of a server, and people start the command line. */
const apps = fs.readdirSync(path.join(ROOT, 'apps')).filter((app) => app !== 'device-sim' && app !== 'cli')

test('every process has a unit', () => {
  const units = fs.readdirSync(path.join(ROOT, 'infra/systemd')).filter((name) => name.endsWith('.service'))
  expect(units.toSorted()).toEqual(apps.map((app) => `culvert-${app}.service`).toSorted())
})

describe.each(apps)('culvert-%s.service', (app) => {
  const unit = readUnit(app)

  test('starts the process', () => {
    const command = /^ExecStart=\/opt\/culvert\/(\S+) .*\b(apps\/\S+)$/m.exec(unit)
    for (const file of command!.slice(1)) expect(fs.existsSync(path.join(ROOT, file))).toBe(true)
    expect(command![2]).toBe(`apps/${app}/src/main.ts`)
  })

  test('is stopped and started with all others', () => {
    expect(unit).toMatch(/^PartOf=culvert\.target$/m)
    expect(unit).toMatch(/^WantedBy=culvert\.target$/m)
  })

  test('gets no new privileges', () => {
    expect(unit).toMatch(/^NoNewPrivileges=yes$/m)
    expect(unit).toMatch(/^CapabilityBoundingSet=/m)
  })

  test.skipIf(!hasSystemd())('is understood by systemd', () => {
    const file = path.join(fs.mkdtempSync('/tmp/culvert-unit-'), `culvert-${app}.service`)
    fs.writeFileSync(file, unit.replaceAll('/opt/culvert', ROOT))
    try {
      expect(verify(file)).toBe('')
    } finally {
      fs.rmSync(path.dirname(file), { recursive: true })
    }
  })
})

/** @returns what systemd finds wrong */
function verify(file: string): string {
  try {
    return execFileSync('systemd-analyze', ['verify', '--man=no', '--recursive-errors=no', file], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  } catch (error) {
    return String((error as { stderr?: unknown }).stderr)
  }
}

function hasSystemd(): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => fs.existsSync(path.join(folder, 'systemd-analyze')))
}
