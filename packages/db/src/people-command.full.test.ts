import { createDatabase, runScript, type ScriptResult } from '@culvert/testkit'
import { expect, inject, it } from 'vitest'
import {
  addApiKey,
  ensureOrganization,
  openPool,
  organizationsOf,
  roleInSession,
  startSession,
  verifyAuditChain,
  type Pool,
} from './index.ts'

async function member(pool: Pool, organizationId: string, userId: string, role: string): Promise<void> {
  await pool.query(`INSERT INTO memberships (id, organization_id, user_id, email, role) VALUES ($1, $2, $3, $4, $5)`, [
    `mem_${organizationId}_${userId}`,
    organizationId,
    userId,
    `${userId}@acme.example`,
    role,
  ])
}

it('npm run people locks a person out of every organization, says what is left of it, and lets it in again', async () => {
  const url = await createDatabase(inject('databaseUrl'))
  const pool = openPool(url, { max: 2 })
  const run = (...args: string[]): Promise<ScriptResult> => runScript('people.ts', args, url)
  try {
    const { id: acme } = await ensureOrganization(pool, { name: 'Acme', slug: 'acme' })
    const { id: other } = await ensureOrganization(pool, { name: 'Other', slug: 'other' })
    for (const [id, email] of [
      ['usr_ada', 'ada@acme.example'],
      ['usr_bob', 'bob@acme.example'],
      ['usr_twin', 'bob@acme.example'],
    ])
      await pool.query(`INSERT INTO users (id, issuer, subject, email) VALUES ($1, 'https://idp', $1, $2)`, [id, email])
    await member(pool, acme, 'usr_ada', 'owner')
    await member(pool, acme, 'usr_bob', 'owner')
    await member(pool, other, 'usr_ada', 'owner')
    await pool.query(
      `INSERT INTO signing_keys (kid, public_jwk, sealed_private_key, signs_from, signs_until, verifies_until)
       VALUES ('k', '{}', '', now(), now(), now() + interval '1 day')`,
    )
    const from = { requestId: null, address: null }
    const organizationIds = await organizationsOf(pool, 'usr_ada')
    await startSession(pool, { id: 'ses_a', userId: 'usr_ada', organizationIds, refreshHash: new Uint8Array(32) }, from)
    const role = (): Promise<string | null> =>
      roleInSession(pool, acme, { userId: 'usr_ada', sessionId: 'ses_a', kid: 'k' })
    expect(await role()).toBe('owner')
    const keyOf = { name: 'deploy', scopes: ['devices:read'], allowedFrom: [], expiresAt: new Date(Date.now() + 1e9) }
    const byAda = { kind: 'user', id: 'usr_ada', ...from } as const
    const made = await addApiKey(pool, acme, keyOf, { by: byAda })
    const key = typeof made === 'string' ? '' : made.record.id

    expect(await run('lock', 'bob@acme.example')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Several people') as string,
    })
    expect(await run('lock', 'nobody@acme.example')).toMatchObject({
      code: 2,
      stderr: 'There is nobody nobody@acme.example.\n',
    })
    expect(await run('find', 'nobody@acme.example')).toMatchObject({ code: 2, stdout: '' })
    expect((await run('--help')).stdout).toContain('npm run people')
    expect((await run('lock')).code).toBe(2)

    expect((await run('lock', 'ADA@acme.example')).stdout.split('\n')).toEqual([
      'usr_ada (ada@acme.example) is locked out; sessions ended: 1',
      'acme: owner',
      `  ${key} is still good: deploy`,
      'other: owner; NO OWNER IS LEFT who gets in',
      '',
    ])
    expect(await role()).toBeNull()
    expect((await run('find', 'ada@acme.example')).stdout).toMatch(
      /^usr_ada {2}ada@acme.example {2}https:\/\/idp {2}locked 2/,
    )
    for (const organizationId of [acme, other]) {
      const { rows } = await pool.query(
        `SELECT action, actor_kind, actor_id, target_id FROM audit_log WHERE organization_id = $1 ORDER BY sequence DESC LIMIT 1`,
        [organizationId],
      )
      expect(rows).toEqual([
        { action: 'person.locked', actor_kind: 'system', actor_id: 'people', target_id: 'usr_ada' },
      ])
    }

    // A login that was under way when the person was locked.
    await startSession(pool, { id: 'ses_b', userId: 'usr_ada', organizationIds, refreshHash: new Uint8Array(32) }, from)
    expect((await run('unlock', 'usr_ada')).stdout).toBe(
      'usr_ada (ada@acme.example) gets in again, and has to log in anew\n',
    )
    expect(await run('unlock', 'usr_ada')).toMatchObject({ code: 2 })
    expect(await role()).toBeNull()
    expect(await roleInSession(pool, acme, { userId: 'usr_ada', sessionId: 'ses_b', kid: 'k' })).toBeNull()

    expect((await run('lock', 'usr_ada', '--with-keys')).stdout).toContain(`  ${key} is revoked: deploy\n`)
    const { rows } = await pool.query(`SELECT revoked_at IS NOT NULL AS revoked FROM api_keys WHERE name = 'deploy'`)
    expect(rows).toEqual([{ revoked: true }])
    expect(await verifyAuditChain(pool, acme)).toMatchObject({ fault: null })
  } finally {
    await pool.end()
  }
}, 120_000)
