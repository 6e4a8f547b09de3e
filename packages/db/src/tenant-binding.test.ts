import fs from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'

/** What the API calls with ids that a customer sent. Nodes and sweepers, which work for all, are elsewhere. */
const modules = [
  'api-keys',
  'attempts',
  'audit-list',
  'config-links',
  'network-life',
  'credentials',
  'detach',
  'grant-match',
  'grants',
  'members',
  'devices',
  'network-settings',
  'organization-settings',
  'tunnels',
]
/** Those that say what is walked and leave the statement to `ordered-list`. */
const lists = [
  'attachment-list',
  'connections',
  'tunnel-list',
  'network-settings',
  'members',
  'api-keys',
  'grants',
  'ssh-keys',
]
const tenantTables =
  /\b(api_keys|attach_attempts|attachments|audit_log|child_sas|config_links|memberships|connections|credentials|devices|events|grants|ike_sas|networks|organizations|tunnel_ports|tunnels)\b/

/** The statements in a module, cut out of its quotes; what is put into them stays as it is written. */
function statementsOf(name: string): string[] {
  const source = fs.readFileSync(path.join(import.meta.dirname, `${name}.ts`), 'utf8')
  return [...source.matchAll(/(['`])((?:SELECT|INSERT|UPDATE|DELETE|WITH)\s[^'`]*(?:'[^'`]*'[^'`]*)*)\1/g)].map(
    ([, , statement = '']) => statement,
  )
}

it.each(modules)('every statement of %s on a table of tenants is bound to one organization', (name) => {
  const statements = statementsOf(name).filter((statement) => tenantTables.test(statement))
  expect(statements.length).toBeGreaterThan(0)
  const bound = /organization_id\s*=\s*\$\d|\(\s*id, organization_id,|\bo\.id = \$1|\$\{where\.text\}/
  expect(statements.filter((statement) => !bound.test(statement))).toEqual([])
})

it.each([...new Set([...modules, ...lists])])('a condition that %s collects begins with the organization', (name) => {
  const source = fs.readFileSync(path.join(import.meta.dirname, `${name}.ts`), 'utf8')
  for (const [, first = ''] of source.matchAll(/new Conditions\(\)\.add\('([^']*)'/g))
    expect(first).toMatch(/^(\w\.)?organization_id = \?/)
})

it('a list in order looks at rows of its organization alone, where it walks and where it shows', () => {
  const source = fs.readFileSync(path.join(import.meta.dirname, 'ordered-list.ts'), 'utf8')
  expect(source).toContain('new Conditions(where.values.length).add(`${shown.organizationId} = ?`, organizationId)')
  for (const name of lists) {
    const text = fs.readFileSync(path.join(import.meta.dirname, `${name}.ts`), 'utf8')
    for (const [, column = ''] of text.matchAll(/organizationId: '([^']*)'/g))
      expect(column).toMatch(/^\w\.organization_id$/)
    expect(text).toMatch(/const where = new Conditions\(\)\.add\('w\.organization_id = \?', organizationId\)/)
  }
})
