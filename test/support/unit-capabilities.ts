/** What infra/systemd leaves to a process, so that tests run it with no more. */
import fs from 'node:fs'
import path from 'node:path'

const UNITS = path.resolve(import.meta.dirname, '../../infra/systemd')

export function readUnit(app: string): string {
  return fs.readFileSync(path.join(UNITS, `culvert-${app}.service`), 'utf8')
}

/** @returns the command that runs what follows it as the unit of `app` does: without new privileges, with its capabilities alone */
export function withCapabilitiesOf(app: string): readonly [command: string, ...options: string[]] {
  const bounding = /^CapabilityBoundingSet=(.*)$/m.exec(readUnit(app))?.[1]
  if (bounding === undefined) throw new Error(`culvert-${app}.service says nothing about capabilities`)
  const names = bounding.split(' ').filter(Boolean)
  const added = names.map((name) => `+${name.toLowerCase().replace(/^cap_/, '')}`)
  return ['setpriv', '--no-new-privs', '--bounding-set', ['-all', ...added].join(','), '--']
}
