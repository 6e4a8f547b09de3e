import {
  changeDeviceAuthority,
  createDevice,
  ensureOrganization,
  newId,
  openPool,
  systemAuthor,
  type Pool,
} from '@culvert/db'
import { luhnCheckDigit } from '@culvert/lifecycle'
import { makeRoot, openAuthority, toPem, type Authority, type Result } from '@culvert/pki'
import { createDatabase, newCertificateRequest, waitFor } from '@culvert/testkit'
import { createHash, randomInt } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { openCrlFetcher } from './crl-fetcher.ts'
import { runWorker, type RunningWorker } from './index.ts'

const HOUR_MS = 3_600_000
const by = systemAuthor('test')

let pool: Pool
let worker: RunningWorker
let server: http.Server
let host = ''
let organizationId = ''
/** By path; what is not there is a redirect to what is. */
const answers = new Map<string, Buffer>()
let asked = 0

beforeAll(async () => {
  const databaseUrl = await createDatabase(inject('databaseUrl'))
  pool = openPool(databaseUrl)
  organizationId = (await ensureOrganization(pool, { name: 'Acme', slug: 'acme' })).id
  server = http.createServer((request, response) => {
    asked++
    const body = answers.get(request.url ?? '')
    if (body) response.end(body)
    else response.writeHead(302, { location: '/there' }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const crlFetcher = openCrlFetcher(host, { allowedPrefixes: ['127.0.0.0/8'] })
  worker = runWorker({ databaseUrl, crlFetcher, crlIntervalMs: 50 })
})
afterAll(async () => {
  await worker.close()
  server.close()
  await pool.end()
})

describe('C31 lists of revoked certificates', () => {
  it('revoke the credentials that they name, once the worker has fetched them, and no others', async () => {
    const factory = await addAuthority('/list')
    const [bad, fine] = [await addCredential(factory), await addCredential(factory)]
    answers.set('/list', await factory.list(1, []))
    await due(factory)
    expect(await settled(factory)).toMatchObject({ crl_number: '1', crl_fault: null, revoked_serials: [] })
    expect(await isRevoked(bad.id)).toBe(false)
    expect((await stateOf(factory))['crl_looked_at']).toBeInstanceOf(Date)
    answers.set('/list?2', await factory.list(2, [bad.serial]))
    const version = await versionOf(bad.deviceId)
    await due(factory, '/list?2')
    await waitFor(() => isRevoked(bad.id), { message: 'the credential to be revoked' })
    expect(await settled(factory)).toMatchObject({ crl_number: '2', crl_fault: null, revoked_serials: [bad.serial] })
    expect([await isRevoked(fine.id), await versionOf(bad.deviceId)]).toEqual([false, version + 1])
    const { rows } = await pool.query(
      `SELECT entry::json->'by' AS by FROM audit_log WHERE target_id = $1 AND action = 'credential.revoked'`,
      [bad.id],
    )
    expect(rows).toHaveLength(1)
    const ours = await pool.query('SELECT 1 FROM revoked_certificates')
    expect(ours.rows, 'they are not on a list of ours').toEqual([])
  })

  it('of one organization revoke nothing of another one that has the same authority', async () => {
    const factory = await addAuthority('/mine')
    const other = (await ensureOrganization(pool, { name: 'Other', slug: 'other' })).id
    const same = await addAuthority('/theirs', { of: factory, organizationId: other })
    const [mine, theirs] = [await addCredential(factory), await addCredential(same)]
    answers.set('/mine', await factory.list(1, [mine.serial, theirs.serial]))
    await due(factory)
    await waitFor(() => isRevoked(mine.id), { message: 'the credential to be revoked' })
    expect(await isRevoked(theirs.id)).toBe(false)
  })

  it.each([
    ['of another authority', 'badSignature', async () => (await addAuthority('/x')).list(9, [])],
    ['that is no list', 'malformed', async () => Buffer.from('hello')],
    ['that is older', 'olderThanKnown', async (factory: Factory) => factory.list(4, [])],
    ['that is over', 'notFresh', async (factory: Factory) => factory.list(9, [], Date.now() - 3 * HOUR_MS)],
    ['that is too large', 'fetchFailed', async () => Buffer.alloc(2_000_001)],
    ['behind a redirect', 'fetchFailed', async () => null],
  ])('%s changes nothing: %s', async (what, fault, make) => {
    const place = `/${encodeURIComponent(what)}`
    const factory = await addAuthority(`${place}-before`)
    answers.set(`${place}-before`, await factory.list(5, []))
    await due(factory)
    await settled(factory)
    const credential = await addCredential(factory)
    const body = await make(factory)
    if (body) answers.set(place, body)
    await due(factory, place)
    await waitFor(async () => (await stateOf(factory))['crl_fault'] !== null, { message: fault })
    expect(await stateOf(factory)).toMatchObject({ crl_fault: fault, crl_number: '5', revoked_serials: [] })
    expect(await isRevoked(credential.id)).toBe(false)
  })

  it('with a number that leaves no room count no more once another place is asked, by their dates from then on', async () => {
    const factory = await addAuthority('/huge')
    const credential = await addCredential(factory)
    const huge = Number.MAX_SAFE_INTEGER
    const hugeList = await factory.list(huge, [], Date.now() - HOUR_MS)
    answers.set('/huge', hugeList)
    await due(factory)
    expect(await settled(factory)).toMatchObject({ crl_number: String(huge) })
    const place = async (path: string, list: Buffer): Promise<void> => {
      answers.set(path, list)
      const change = { crlUrl: `http://${host}${path}` }
      const at = { organizationId, id: factory.id, ifVersion: null }
      expect(await changeDeviceAuthority(pool, at, change, { by })).toMatchObject({ crlNumber: null })
      await due(factory)
    }
    const fault = async (): Promise<unknown> => {
      await waitFor(async () => (await stateOf(factory))['crl_fault'] !== null, { message: 'a fault' })
      return (await stateOf(factory))['crl_fault']
    }
    answers.set('/huge?2', await factory.list(2, [credential.serial]))
    await due(factory, '/huge?2')
    expect(await fault()).toBe('olderThanKnown')
    await place('/replayed', await factory.list(1, [], Date.now() - 1.5 * HOUR_MS))
    expect(await fault(), 'an old one is not taken for a new one').toBe('olderThanKnown')
    await place('/new', await factory.list(2, [credential.serial]))
    expect(await settled(factory)).toMatchObject({ crl_number: '2', revoked_serials: [credential.serial] })
    await waitFor(() => isRevoked(credential.id), { message: 'the credential to be revoked' })
    answers.set('/new?again', hugeList)
    await due(factory, '/new?again')
    expect(await fault(), 'its number is the greater one still, and its date is not').toBe('olderThanKnown')
    expect(await stateOf(factory)).toMatchObject({ crl_number: '2', revoked_serials: [credential.serial] })
  })

  it('that a worker stored and did not live to act on are acted on by the next one, also when there is none any more', async () => {
    const factory = await addAuthority('/gone')
    const credential = await addCredential(factory)
    await pool.query('UPDATE device_authorities SET revoked_serials = $2 WHERE id = $1', [
      factory.id,
      [credential.serial],
    ])
    await due(factory)
    await waitFor(() => isRevoked(credential.id), { message: 'the credential to be revoked' })
    expect(await stateOf(factory)).toMatchObject({ crl_fault: 'fetchFailed' })
  })

  it('that say what the one before said rewrite none of their serials, and are acted on all the same', async () => {
    await pool.query(
      `CREATE TABLE serials_written (id text);
       CREATE FUNCTION serials_written() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN INSERT INTO serials_written VALUES (NEW.id); RETURN NEW; END $$;
       CREATE TRIGGER serials_written BEFORE UPDATE OF revoked_serials, revoked_count ON device_authorities
         FOR EACH ROW EXECUTE FUNCTION serials_written();
       GRANT INSERT ON serials_written TO culvert_worker`,
    )
    const written = async (): Promise<number> =>
      (await pool.query('SELECT 1 FROM serials_written WHERE id = $1', [factory.id])).rowCount ?? 0
    const factory = await addAuthority('/same')
    const [first, late] = [await addCredential(factory), await addCredential(factory)]
    const list = await factory.list(1, [first.serial, late.serial])
    answers.set('/same', list)
    await due(factory)
    await settled(factory)
    expect(await written()).toBe(1)
    // As if who stored it had died before it had them all.
    await pool.query('UPDATE credentials SET revoked_at = NULL WHERE id = $1', [late.id])
    await pool.query(`UPDATE device_authorities SET crl_fault = 'fetchFailed' WHERE id = $1`, [factory.id])
    for (const place of ['/same?2', '/same?3']) {
      answers.set(place, list)
      await due(factory, place)
      expect(await settled(factory)).toMatchObject({
        crl_number: '1',
        crl_fault: null,
        revoked_serials: [first.serial, late.serial],
        revoked_count: 2,
      })
    }
    expect([await isRevoked(late.id), await written()]).toEqual([true, 1])
    const { rows } = await pool.query<{ later: boolean }>(
      `SELECT crl_due_at > now() + interval '14 minutes' AS later FROM device_authorities WHERE id = $1`,
      [factory.id],
    )
    expect(rows).toEqual([{ later: true }])
    answers.set('/same?4', await factory.list(1, [first.serial]))
    await due(factory, '/same?4')
    expect(await settled(factory)).toMatchObject({ revoked_serials: [first.serial], revoked_count: 1 })
    expect(await written(), 'another one of the same number counts').toBe(2)
  })

  it('A01 of a host that the operator does not name, or of an address of ours, are not asked for', async () => {
    const factory = await addAuthority('/good')
    const before = asked
    for (const url of [`http://localhost:${host.split(':')[1]}/good`, 'http://169.254.169.254/', 'http://127.0.0.1/']) {
      await pool.query(
        `UPDATE device_authorities SET crl_fault = NULL, crl_url = $2, crl_due_at = now() - interval '1 ms' WHERE id = $1`,
        [factory.id, url],
      )
      await waitFor(async () => (await stateOf(factory))['crl_fault'] !== null, { message: url })
      expect(await stateOf(factory)).toMatchObject({ crl_fault: 'notAllowed', crl_fetched_at: null })
    }
    const inner = openCrlFetcher('127.0.0.1,10.1.2.3,[::1]:8080', {})
    for (const named of ['127.0.0.1', '10.1.2.3', '[::1]:8080'])
      expect(await inner.fetch(`http://${named}/`, 0)).toMatchObject({ ok: false, fault: { code: 'fetchFailed' } })
    expect(asked).toBe(before)
  })
})

interface Factory {
  readonly id: string
  readonly organizationId: string
  readonly authority: Authority
  readonly pem: string
  /** Good for two hours. */
  list(number: number, serials: readonly string[], atMs?: number): Promise<Buffer>
}

async function addAuthority(
  place: string,
  more: { readonly of?: Factory; readonly organizationId?: string } = {},
): Promise<Factory> {
  const material = good(await makeRoot({ name: 'Factory', atMs: Date.now() - 24 * HOUR_MS, lifetimeMs: 999 * HOUR_MS }))
  const authority = more.of?.authority ?? good(await openAuthority(material))
  const pem = toPem(authority.certificate, 'CERTIFICATE')
  const factory = {
    id: newId('aut'),
    organizationId: more.organizationId ?? organizationId,
    authority,
    pem,
    list: async (number: number, serials: readonly string[], atMs = Date.now()) =>
      Buffer.from(
        await authority.issueCrl({
          number,
          atMs,
          lifetimeMs: 2 * HOUR_MS,
          revoked: serials.map((serial) => ({ serial, atMs })),
        }),
      ),
  }
  await pool.query(
    `INSERT INTO device_authorities (id, organization_id, name, certificate, fingerprint, subject, not_after, revocation, crl_url, crl_due_at)
     VALUES ($1, $2, 'factory', $3, $4, 'Factory', now() + interval '1 day', 'soft', $5, 'infinity')`,
    [factory.id, factory.organizationId, pem, newId('aut'), `http://${host}${place}`],
  )
  return factory
}

async function addCredential(factory: Factory): Promise<{ id: string; serial: string; deviceId: string }> {
  const digits = `8988${String(randomInt(1e14)).padStart(14, '0')}`
  const device = await createDevice(
    pool,
    {
      organizationId: factory.organizationId,
      zone: 'test',
      iccid: digits + luhnCheckDigit(digits),
      imsi: null,
      imei: null,
      eid: null,
      name: null,
      tags: [],
      tunnelable: true,
      lanPrefixes: [],
      proposalTiers: null,
    },
    { by },
  )
  if (typeof device === 'string') throw new Error(device)
  const options = { identity: 'sn.factory.example', atMs: Date.now(), lifetimeMs: HOUR_MS }
  const issued = good(await factory.authority.signDeviceCertificate(newCertificateRequest().der, options))
  const id = newId('crd')
  await pool.query(
    `INSERT INTO credentials (id, organization_id, device_id, kind, authority_id, certificates, fingerprint, path_serials, expires_at)
     VALUES ($1, $2, $3, 'certificate', $4, 'PEM', $5, $6, now() + interval '1 hour')`,
    [
      id,
      factory.organizationId,
      device.id,
      factory.id,
      createHash('sha256').update(issued.certificate).digest('hex'),
      [issued.serial],
    ],
  )
  return { id, serial: issued.serial, deviceId: device.id }
}

async function due({ id }: Factory, place?: string): Promise<void> {
  await pool.query(
    `UPDATE device_authorities SET crl_due_at = now() - interval '1 ms', crl_fetched_at = NULL, crl_url = coalesce($2, crl_url) WHERE id = $1`,
    [id, place === undefined ? null : `http://${host}${place}`],
  )
}

async function stateOf({ id }: Factory): Promise<Record<string, unknown>> {
  const { rows } = await pool.query<Record<string, unknown>>('SELECT * FROM device_authorities WHERE id = $1', [id])
  return rows[0] ?? {}
}

async function settled(factory: Factory): Promise<Record<string, unknown>> {
  await waitFor(async () => (await stateOf(factory))['crl_fetched_at'] !== null, { message: 'a list' })
  return stateOf(factory)
}

async function isRevoked(id: string): Promise<boolean> {
  const { rows } = await pool.query<{ over: boolean }>(
    'SELECT revoked_at IS NOT NULL AS over FROM credentials WHERE id = $1',
    [id],
  )
  return rows[0]?.over ?? false
}

async function versionOf(deviceId: string): Promise<number> {
  const { rows } = await pool.query<{ v: number }>('SELECT policy_version AS v FROM devices WHERE id = $1', [deviceId])
  return rows[0]?.v ?? 0
}

function good<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.fault.code)
  return result.value
}
