import fs from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'

const past = /\b\w*[pP]ool\.(query|connect)\b|\binTransaction\(|\bconnectPrisma\(/
const ownSource = import.meta.dirname
const apiSource = path.join(ownSource, '../../../apps/api/src')

/** Files that speak to the database without the door. This list may only shrink; a new line needs a reason of its own. */
const allowed = new Map([
  ['tenant.ts', 'the door'],
  ['transaction.ts', 'for processes that work for all'],
  ['rehearsal.ts', 'the door, for a request that is only tried'],
  ['prisma.ts', 'for tests'],
  ['organizations.ts', 'made by who runs the installation'],
  ['api-key-use.ts', 'whose a key is, by a function of its own; keys made by who runs the installation'],
  ['authorities.ts', 'of the installation, public'],
  ['nodes.ts', 'of the installation'],
  ['pools6.ts', 'when the API starts, for all'],
  ['audit-verify.ts', 'a command'],
  ['reseal.ts', 'a command'],
  ['people.ts', 'who somebody is, before there is an organization'],
  ['person-lock.ts', 'a command'],
  ['sessions.ts', 'what a token rests on, before there is an organization'],
  ['signing-keys.ts', 'of the installation'],
  ['operation-work.ts', 'the worker'],
  ['events/relay.ts', 'the worker'],
  ['events/retention.ts', 'the worker'],
  ['node-sweep.ts', 'the worker'],
  ['tunnel-sweep.ts', 'the worker'],
  ['credential-sweep.ts', 'the worker'],
  ['device-revocation-lists.ts', 'the worker, when it looks for what is due'],
  ['event-tallies.ts', 'the worker'],
  ['presence.ts', 'the worker'],
  ['prune.ts', 'the worker'],
  ['usage-roll-up.ts', 'the worker'],
  ['usage-alarm.ts', 'the worker'],
  ['automation/rule-runs.ts', 'the worker, when it looks for what is due'],
  ['webhooks/dispatch.ts', 'the worker'],
  ['webhooks/attempts.ts', 'the worker'],
  ['gateway-store.ts', 'the gateway'],
  ['gateway-connections.ts', 'the gateway'],
  ['signer-store.ts', 'the signer'],
])

function sourcesIn(folder: string): string[] {
  return fs
    .globSync('**/*.ts', { cwd: folder })
    .filter((file) => !/\.test\.ts$|^(generated|testing|concentrator|access)\//.test(file))
}

const speaks = (folder: string): string[] =>
  sourcesIn(folder)
    .filter((file) => past.test(fs.readFileSync(path.join(folder, file), 'utf8')))
    .toSorted()

it('A03 statements about rows of an organization go through the door, but for the files that say why', () => {
  expect(speaks(ownSource)).toEqual([...allowed.keys()].toSorted())
})

it('A03 the API itself has no statement of its own', () => {
  expect(speaks(apiSource)).toEqual(['build-api.ts'])
  const statements = fs.readFileSync(path.join(apiSource, 'build-api.ts'), 'utf8').match(/ool\.query\([^)]*\)/g)
  expect(statements).toEqual([`ool.query('SELECT 1')`])
})
