import { createDatabase } from '@culvert/testkit'
import fc from 'fast-check'
import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import {
  appendAudit,
  appendAudits,
  appendDenial,
  appendEvent,
  auditedOrganizations,
  canonicalJson,
  changedFields,
  inTenantTransaction,
  newId,
  openPool,
  systemAuthor,
  verifyAuditChain,
  type Author,
  type NewAuditEntry,
} from './index.ts'

let pool: pg.Pool
let organizationId = ''
const by: Author = { kind: 'api_key', id: 'key1', requestId: 'req_1', address: '192.0.2.1' }

beforeAll(async () => {
  pool = openPool(await createDatabase(inject('databaseUrl')), { applicationName: 'audit-test', max: 20 })
})
beforeEach(() => {
  organizationId = newId('org')
})
afterAll(() => pool.end())

function entry(targetId: string, more: Partial<NewAuditEntry> = {}): NewAuditEntry {
  return { organizationId, by, action: 'device.updated', targetType: 'device', targetId, ...more }
}

function append(...entries: NewAuditEntry[]): Promise<void> {
  return inTenantTransaction(pool, organizationId, (tx) => appendAudits(tx, entries))
}

/** What somebody with all rights could do behind the triggers' back. */
async function tamper(sql: string, ...values: unknown[]): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query(`SET session_replication_role = replica`)
    await client.query(sql, values)
    await client.query(`RESET session_replication_role`)
  } finally {
    client.release()
  }
}

const verify = async (): Promise<string> => {
  const { fault, entries } = await verifyAuditChain(pool, organizationId)
  return fault ? `${fault.kind} ${fault.sequence}` : `holds ${entries}`
}

describe('audit entries', () => {
  it('are chained in the order of their commits, from 1, whoever writes', async () => {
    await append(entry('dev_a', { before: { name: 'a' }, after: { name: 'b' } }))
    await Promise.all(Array.from({ length: 30 }, (_, index) => append(entry(`dev_${index}`), entry(`dev_${index}`))))
    const { rows } = await pool.query('SELECT sequence FROM audit_log WHERE organization_id = $1 ORDER BY sequence', [
      organizationId,
    ])
    expect(rows.map(({ sequence }) => Number(sequence))).toEqual(Array.from({ length: 61 }, (_, index) => index + 1))
    expect(await verify()).toBe('holds 61')
    expect(await auditedOrganizations(pool)).toContain(organizationId)
  })

  it('stand in the order in which their transaction wrote them', async () => {
    const targets = Array.from({ length: 20 }, () => newId('dev'))
    await inTenantTransaction(pool, organizationId, async (tx) => {
      for (const target of targets) await appendAudit(tx, entry(target))
    })
    const { rows } = await pool.query('SELECT target_id FROM audit_log WHERE organization_id = $1 ORDER BY sequence', [
      organizationId,
    ])
    expect(rows.map((row) => row.target_id)).toEqual(targets)
  })

  it('are gone with a transaction that is rolled back, and leave no gap', async () => {
    await append(entry('dev_a'))
    await inTenantTransaction(pool, organizationId, (tx) => appendAudit(tx, entry('dev_b')), { validateOnly: true })
    await expect(
      inTenantTransaction(pool, organizationId, async (tx) => {
        await appendAudit(tx, entry('dev_c'))
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
    await append(entry('dev_d'))
    expect(await verify()).toBe('holds 2')
  })

  it('meet events in any order without a deadlock', async () => {
    const resources = ['dev_1', 'dev_2']
    let attempts = 0
    const event = (resourceId: string) => ({
      organizationId,
      type: 'device.updated' as const,
      resourceId,
      data: { changed: [] },
    })
    await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        inTenantTransaction(pool, organizationId, async (tx) => {
          attempts++
          const resourceId = resources[index % 2] ?? ''
          if (index % 3 === 0) await appendAudit(tx, entry(resourceId))
          await appendEvent(tx, event(resourceId))
          if (index % 3 !== 0) await appendAudit(tx, entry(resourceId))
        }),
      ),
    )
    expect(attempts).toBe(12)
    expect(await verify()).toBe('holds 12')
  })

  it('do not hold up other writers of the organization before the commit', async () => {
    const second = Promise.withResolvers<void>()
    await inTenantTransaction(pool, organizationId, async (tx) => {
      await appendAudit(tx, entry('dev_first'))
      await append(entry('dev_second')).then(second.resolve, second.reject)
      await second.promise
    })
    const { rows } = await pool.query('SELECT target_id FROM audit_log WHERE organization_id = $1 ORDER BY sequence', [
      organizationId,
    ])
    expect(rows.map((row) => row.target_id)).toEqual(['dev_second', 'dev_first'])
  })

  it('are kept: the database changes, removes and empties nothing, and gives the places itself', async () => {
    await append(entry('dev_a'))
    const statements = [
      `UPDATE audit_log SET action = 'nothing'`,
      `UPDATE audit_log SET sequence = 7`,
      `DELETE FROM audit_log`,
      `TRUNCATE audit_log`,
      `INSERT INTO audit_log VALUES ('aud_x', 'org_x', 1, now(), 'system', 'x', 'x', 'x', 'x', '{}', decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex'))`,
    ]
    for (const sql of statements) await expect(pool.query(sql)).rejects.toThrow('only appended to')
    expect(await verify()).toBe('holds 1')
  })

  it('say who, what, where and why, and the columns to find them by', async () => {
    await inTenantTransaction(pool, organizationId, (tx) =>
      appendDenial(tx, { organizationId, by, targetType: 'device', targetId: 'dev_a', rule: 'devices:write' }),
    )
    const { rows } = await pool.query('SELECT * FROM audit_log WHERE organization_id = $1', [organizationId])
    expect(rows[0]).toMatchObject({
      actor_kind: 'api_key',
      actor_id: 'key1',
      action: 'access.denied',
      target_id: 'dev_a',
    })
    expect(JSON.parse(rows[0].entry)).toEqual({
      id: rows[0].id,
      organizationId,
      actor: { kind: 'api_key', id: 'key1', requestId: 'req_1', address: '192.0.2.1' },
      action: 'access.denied',
      target: { type: 'device', id: 'dev_a' },
      after: { rule: 'devices:write' },
    })
  })

  it('never hold a field that is named like a secret, at any depth', async () => {
    for (const after of [{ psk: 'x' }, { nested: [{ sealedSecret: 'x' }] }, { Password: 'x' }, { secret_hash: 'x' }])
      await expect(append(entry('dev_a', { after }))).rejects.toThrow('secret')
    expect(await verify()).toBe('holds 0')
  })

  it('keep the names of fields alone where the values are too large', async () => {
    await append(entry('dev_a', { after: { name: 'x'.repeat(20_000), tags: [] } }))
    const { rows } = await pool.query('SELECT entry FROM audit_log WHERE organization_id = $1', [organizationId])
    expect(JSON.parse(rows[0].entry).after).toEqual({ omitted: ['name', 'tags'] })
  })

  it('of one statement are chained by the thousand, and verified over many reads', async () => {
    await append(...Array.from({ length: 2_500 }, (_, index) => entry(`dev_${index}`)))
    expect(await verify()).toBe('holds 2500')
  })
})

describe('verification', () => {
  beforeEach(() => append(...['a', 'b', 'c', 'd'].map((id) => entry(`dev_${id}`, { by: systemAuthor('test') }))))

  it.each([
    ['a changed content', `UPDATE audit_log SET entry = replace(entry, 'dev_', 'DEV_')`, 'changed 2'],
    ['a changed column', `UPDATE audit_log SET action = 'device.read'`, 'changed 2'],
    ['a changed time', `UPDATE audit_log SET at = at - interval '1 hour'`, 'changed 2'],
    ['a removed entry', `DELETE FROM audit_log`, 'missing 2'],
    ['an entry of another organization', `UPDATE audit_log SET organization_id = 'org_x'`, 'missing 2'],
  ])('finds %s', async (_, sql, found) => {
    await tamper(`${sql} WHERE organization_id = $1 AND sequence = 2`, organizationId)
    expect(await verify()).toBe(found)
  })

  it('finds entries that were swapped', async () => {
    await tamper(`UPDATE audit_log SET sequence = 999 WHERE organization_id = $1 AND sequence = 2`, organizationId)
    await tamper(`UPDATE audit_log SET sequence = 2 WHERE organization_id = $1 AND sequence = 3`, organizationId)
    await tamper(`UPDATE audit_log SET sequence = 3 WHERE organization_id = $1 AND sequence = 999`, organizationId)
    expect(await verify()).toBe('broken 2')
  })

  it('finds that the newest ones were removed, also when the head was set back to hide it', async () => {
    const { head } = await verifyAuditChain(pool, organizationId)
    await tamper(`DELETE FROM audit_log WHERE organization_id = $1 AND sequence = 4`, organizationId)
    expect(await verify()).toBe('missing 4')
    await tamper(
      `UPDATE audit_heads h SET sequence = 3, hash = (SELECT hash FROM audit_log l WHERE l.organization_id = $1 AND l.sequence = 3)
       WHERE h.organization_id = $1`,
      organizationId,
    )
    expect(await verify()).toBe('holds 3')
    expect((await verifyAuditChain(pool, organizationId, head)).fault?.kind).toBe('truncated')
  })

  it('finds that the chain was written anew, by a head that was known before', async () => {
    const { head } = await verifyAuditChain(pool, organizationId)
    await tamper(`DELETE FROM audit_log WHERE organization_id = $1`, organizationId)
    await tamper(`DELETE FROM audit_heads WHERE organization_id = $1`, organizationId)
    expect(await verify()).toBe('holds 0')
    await append(...['a', 'b', 'x', 'd'].map((id) => entry(`dev_${id}`)))
    expect(await verify()).toBe('holds 4')
    expect((await verifyAuditChain(pool, organizationId, head)).fault?.kind).toBe('rewritten')
  })

  it('finds entries that nobody chained', async () => {
    await tamper(
      `INSERT INTO audit_log (id, organization_id, actor_kind, actor_id, action, target_type, target_id, entry)
       VALUES ($1, $2, 'system', 'x', 'x', 'x', 'x', '{}')`,
      newId('aud'),
      organizationId,
    )
    expect(await verify()).toBe('unchained 5')
  })
})

describe('canonical JSON', () => {
  it('RFC 8785 3.2.3 sorts members by the UTF-16 code units of their names', () => {
    const text =
      '{"\\u20ac":"Euro Sign","\\r":"CR","\\ufb33":"Hebrew","1":"One","\\ud83d\\ude00":"Emoji","\\u0080":"Control","\\u00f6":"o"}'
    expect(Object.values(JSON.parse(canonicalJson(JSON.parse(text))))).toHaveLength(7)
    expect(canonicalJson(JSON.parse(text)).match(/"(CR|One|Control|o|Euro Sign|Emoji|Hebrew)"/g)).toEqual(
      ['CR', 'One', 'Control', 'o', 'Euro Sign', 'Emoji', 'Hebrew'].map((value) => `"${value}"`),
    )
    expect(canonicalJson({ 10: 1, 9: 2, b: 3 })).toBe('{"10":1,"9":2,"b":3}')
  })

  it('has one form for one value, whatever order it was made in', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value)
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
        expect(canonicalJson(JSON.parse(text))).toBe(text)
      }),
      { numRuns: 200 },
    )
  })
})

it('changedFields tells what differs and nothing else', () => {
  expect(changedFields({ a: 1, b: [1], c: null }, { a: 2, b: [1], d: 3 }, ['a', 'b', 'c'])).toEqual({
    before: { a: 1 },
    after: { a: 2 },
  })
})
