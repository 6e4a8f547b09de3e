/**
 * People, by who runs the installation: on DATABASE_URL, `npm run people -- find ADDRESS`, `... -- lock USER [--with-keys]` keeps a
 * person out of every organization, and `... -- unlock USER` lets it in again. USER is an id (`usr_...`), or an address that one person
 * alone has. `--with-keys` revokes the API keys that the person made, too. Exit status 2: it could not be done.
 */
import { findPeople, lockPerson, systemAuthor, unlockPerson, type Person, type Pool } from '@culvert/db'
import { parseArgs } from 'node:util'
import { withDatabase } from './with-database.ts'

const USAGE = 'Usage: npm run people -- find ADDRESS | lock USER [--with-keys] | unlock USER'
const by = systemAuthor('people')

try {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { 'with-keys': { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  })
  if (values.help) process.stdout.write(`${USAGE}\n`)
  else if (positionals.length === 0) throw new Error(USAGE)
  else
    await withDatabase('people', async (pool) => {
      const [command, who, ...more] = positionals
      if (!who || more.length > 0) throw new Error(USAGE)
      if (command === 'find') await find(pool, who)
      else if (command === 'lock') await lock(pool, who, values['with-keys'])
      else if (command === 'unlock') await unlock(pool, who)
      else throw new Error(USAGE)
    })
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 2
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function find(pool: Pool, who: string): Promise<void> {
  const people = await findPeople(pool, who)
  if (people.length === 0) throw new Error(`There is nobody ${who}.`)
  for (const { id, email, issuer, lockedAt } of people)
    say(`${id}  ${email}  ${issuer}${lockedAt ? `  locked ${lockedAt.toISOString()}` : ''}`)
}

async function onePerson(pool: Pool, who: string): Promise<Person> {
  const [person, ...others] = await findPeople(pool, who)
  if (!person) throw new Error(`There is nobody ${who}.`)
  if (others.length > 0) throw new Error(`Several people have ${who}: name one by its id, see find.`)
  return person
}

async function lock(pool: Pool, who: string, withKeys: boolean): Promise<void> {
  const { id, email } = await onePerson(pool, who)
  const done = await lockPerson(pool, id, { by, withKeys })
  if (!done) throw new Error(`There is nobody ${who}.`)
  say(`${id} (${email}) is locked out; sessions ended: ${done.sessions}`)
  for (const { slug, role, isOwnerless, keys } of done.organizations) {
    say(`${slug}: ${role ?? 'no member any more'}${isOwnerless ? '; NO OWNER IS LEFT who gets in' : ''}`)
    for (const key of keys) say(`  ${key.id} ${withKeys ? 'is revoked' : 'is still good'}: ${key.name}`)
  }
}

async function unlock(pool: Pool, who: string): Promise<void> {
  const { id, email } = await onePerson(pool, who)
  if (!(await unlockPerson(pool, id, { by }))) throw new Error(`${id} (${email}) is not locked out.`)
  say(`${id} (${email}) gets in again, and has to log in anew`)
}
