import { createDeviceLookup, maxDeviceAuthorities, publishAuthority } from '@culvert/db'
import { makeRoot, openAuthority, readCertificate, toPem, type Authority, type Result } from '@culvert/pki'
import { newCertificateRequest } from '@culvert/testkit'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import {
  newConcentrator,
  newDevice,
  newGateway,
  openHarness,
  setAttached,
  type Answer,
  type FakeGateway,
  type Harness,
} from './testing/harness.ts'

const DAY_MS = 86_400_000

interface Body {
  readonly id: string
  readonly code: string
  readonly detail: string
  readonly name: string
  readonly state: string
  readonly fingerprint: string
  readonly credentialCount: number
  readonly expiresAt: string
  readonly certificate: { authorityId: string; serial: string; fingerprint: string }
  readonly data: { id: string }[]
  readonly errors?: { pointer: string; message: string }[]
}

let harness: Harness
let gateway: FakeGateway
beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
  await newConcentrator(harness.pool, 'con-1', 1)
  gateway = await newGateway(harness, 'gw-1')
})
afterAll(async () => {
  await gateway.close()
  await harness.close()
})

interface Maker {
  readonly pem: string
  readonly authority: Authority
  /** PEM of a certificate for a device. */
  issue(lifetimeMs?: number): Promise<string>
}

async function maker(lifetimeMs = 365 * DAY_MS): Promise<Maker> {
  const material = good(await makeRoot({ name: 'Router factory', atMs: Date.now(), lifetimeMs }))
  const authority = good(await openAuthority(material))
  return {
    pem: toPem(material.certificate, 'CERTIFICATE'),
    authority,
    async issue(until = DAY_MS) {
      const options = { identity: 'sn-1.factory.example', atMs: Date.now(), lifetimeMs: until }
      return toPem(
        good(await authority.signDeviceCertificate(newCertificateRequest().der, options)).certificate,
        'CERTIFICATE',
      )
    },
  }
}

const register = (certificate: string, more: object = {}, key?: string): Promise<Answer<Body>> =>
  harness.call('POST', '/v1/device-authorities', {
    body: { name: 'factory', certificate, ...more },
    ...(key ? { key } : {}),
  })
const attest = (deviceId: string, authorityId: string, certificate: string, more: object = {}): Promise<Answer<Body>> =>
  harness.call('POST', `/v1/devices/${deviceId}/credentials`, {
    body: { kind: 'certificate', authorityId, certificate, ...more },
  })
async function found(deviceId: string): Promise<readonly { readonly id: string }[]> {
  const device = await harness.call<{ ikeIdentity: string }>('GET', `/v1/devices/${deviceId}`)
  return (await createDeviceLookup(harness.pool).find(device.body.ikeIdentity))?.credentials ?? []
}

describe('an authority of the organization', () => {
  it('is registered, read, found, changed and deleted, with events and in the audit log', async () => {
    const { pem } = await maker()
    const added = await register(pem)
    expect(added.status, added.text).toBe(201)
    expect(added.headers['location']).toBe(`/v1/device-authorities/${added.body.id}`)
    expect(added.body).toMatchObject({
      name: 'factory',
      subject: 'Router factory',
      certificate: pem,
      state: 'active',
      credentialCount: 0,
      revocation: { mode: 'off', url: null, number: null, fetchedAt: null, fault: null },
    })
    const url = `/v1/device-authorities/${added.body.id}`
    const read = await harness.call<Body>('GET', url)
    expect(read.body).toEqual(added.body)
    const listed = await harness.call<Body>('GET', `/v1/device-authorities?fingerprint=${read.body.fingerprint}`)
    expect(listed.body.data).toEqual([added.body])
    const changed = await harness.call('PATCH', url, {
      body: { name: 'old factory', revocation: { mode: 'hard', url: 'http://crl.example/f.crl' } },
      headers: { 'if-match': String(read.headers['etag']) },
    })
    expect(changed.body).toMatchObject({
      name: 'old factory',
      revocation: { mode: 'hard', url: 'http://crl.example/f.crl' },
    })
    const late = await harness.call<Body>('DELETE', url, { headers: { 'if-match': String(read.headers['etag']) } })
    expect(late.body.code).toBe('precondition_failed')
    expect((await harness.call('DELETE', url)).status).toBe(204)
    expect((await harness.call('GET', url)).status).toBe(404)
    const { rows } = await harness.pool.query<{ action: string }>(
      'SELECT action FROM audit_log WHERE target_id = $1 ORDER BY sequence',
      [added.body.id],
    )
    expect(rows.map(({ action }) => action)).toEqual([
      'device_authority.created',
      'device_authority.updated',
      'device_authority.deleted',
    ])
  })

  it('tells what is wrong with its list until another one is wanted, or none', async () => {
    const revocation = { mode: 'soft', url: 'http://crl.example/f.crl' }
    const { id } = (await register((await maker()).pem, { revocation })).body
    const faultAfter = async (body: object): Promise<unknown> => {
      await harness.pool.query(`UPDATE device_authorities SET crl_fault = 'fetchFailed' WHERE id = $1`, [id])
      const changed = await harness.call<{ revocation: { fault: string | null } }>(
        'PATCH',
        `/v1/device-authorities/${id}`,
        { body },
      )
      return changed.body.revocation.fault
    }
    expect(await faultAfter({ name: 'renamed' })).toBe('fetchFailed')
    expect(await faultAfter({ revocation: { ...revocation, mode: 'hard' } })).toBe('fetchFailed')
    expect(await faultAfter({ revocation: { ...revocation, url: 'http://crl.example/g.crl' } })).toBe(null)
    expect(await faultAfter({ revocation: { mode: 'off' } })).toBe(null)
  })

  it('has another list looked at, not more often than once a minute, and the same one in its own time', async () => {
    const revocation = { mode: 'soft', url: 'http://crl.example/f.crl' }
    const { id } = (await register((await maker()).pem, { revocation })).body
    const isDue = async (when: string): Promise<unknown> => {
      const { rows } = await harness.pool.query<{ due: boolean }>(
        `SELECT crl_due_at ${when} AS due FROM device_authorities WHERE id = $1`,
        [id],
      )
      return rows[0]?.due
    }
    const looked = (at: string): Promise<unknown> =>
      harness.pool.query(
        `UPDATE device_authorities SET crl_looked_at = ${at}, crl_due_at = ${at} + interval '15 minutes' WHERE id = $1`,
        [id],
      )
    const change = async (...bodies: readonly object[]): Promise<void> => {
      for (const body of bodies) {
        const changed = await harness.call('PATCH', `/v1/device-authorities/${id}`, { body })
        expect(changed.status, changed.text).toBe(200)
      }
    }
    const at = (url: string): object => ({ revocation: { ...revocation, url } })
    expect(await isDue(`= created_at + interval '10 seconds'`), 'who is registered and deleted again asks nobody').toBe(
      true,
    )
    await change({ revocation: { mode: 'off' } }, { revocation })
    expect(await isDue(`= created_at + interval '10 seconds'`), 'nor who turns it off and on').toBe(true)
    await harness.pool.query(`UPDATE device_authorities SET created_at = now() - interval '1 hour' WHERE id = $1`, [id])
    await looked(`now() - interval '2 minutes'`)
    await change({ name: 'renamed' }, { revocation }, { revocation: { ...revocation, mode: 'hard' } })
    expect(await isDue(`= crl_looked_at + interval '15 minutes'`), 'what does not concern the list').toBe(true)
    await change(at('http://crl.example/g.crl'))
    expect(await isDue('<= updated_at'), 'at once').toBe(true)
    await looked('now()')
    await change(at('http://crl.example/h.crl'), at('http://crl.example/i.crl'), { revocation: { mode: 'off' } })
    expect(await isDue('IS NULL')).toBe(true)
    await change({ revocation })
    expect(await isDue(`= crl_looked_at + interval '1 minute'`), 'however often it is changed').toBe(true)
  })

  it('is one authority that is valid now, by its certificate alone', async () => {
    const [one, two, over] = [await maker(), await maker(), await maker()]
    const leaf = await one.issue()
    const own = createHash('sha256').update(over.pem).digest('hex')
    await publishAuthority(harness.pool, { id: own, certificate: over.pem, notAfter: new Date(Date.now() + DAY_MS) })
    for (const [certificate, message] of [
      ['hello', 'must be certificates in PEM'],
      [one.pem + two.pem, 'one certificate'],
      [leaf, 'not an authority'],
      [toPem(Uint8Array.of(0x30, 1, 0), 'CERTIFICATE'), 'not the DER'],
      [over.pem, 'the authority of this installation'],
    ] as const) {
      const refused = await register(certificate)
      expect([refused.status, refused.body.code]).toEqual([422, 'authority_refused'])
      expect(refused.body.detail).toContain(message)
    }
    await harness.pool.query('DELETE FROM certificate_authorities WHERE id = $1', [own])
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const secret = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const refused = await register(one.pem + secret)
    expect(refused.body.code).toBe('private_key_given')
    expect(refused.text).not.toContain(secret.split('\n')[1])
  })

  it.each([
    [{ mode: 'soft' }, '/revocation/url'],
    [{ mode: 'off', url: 'http://crl.example/' }, '/revocation/url'],
    [{ mode: 'soft', url: 'https://crl.example/' }, '/revocation/url'],
    [{ mode: 'soft', url: 'http://user:pass@crl.example/' }, '/revocation/url'],
    [{ mode: 'soft', url: 'http://' }, '/revocation/url'],
  ])('whose list is %j is refused', async (revocation, pointer) => {
    const refused = await register((await maker()).pem, { revocation })
    expect(refused).toMatchObject({ status: 400, body: { code: 'validation_failed', errors: [{ pointer }] } })
  })

  it('is there once in an organization, may be in another one too, and there are not too many', async () => {
    const { pem } = await maker()
    const answers = await Promise.all([1, 2, 3].map(() => register(pem)))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409])
    const theirs = await register(pem, {}, harness.other.key)
    expect(theirs.status).toBe(201)
    for (const [method, body] of [['GET'], ['PATCH', { name: 'mine' }], ['DELETE']] as const) {
      const url = `/v1/device-authorities/${theirs.body.id}`
      expect((await harness.call(method, url, body && { body })).status).toBe(404)
    }
    const fill = (n: number): Promise<unknown> =>
      harness.pool.query(
        `INSERT INTO device_authorities (id, organization_id, name, certificate, fingerprint, subject, not_after)
         SELECT 'aut_' || n, $1, 'x', '-----BEGIN CERTIFICATE-----', 'f' || n, 'x', now() FROM generate_series(1, $2) n`,
        [harness.other.id, n],
      )
    await fill(maxDeviceAuthorities - 1)
    expect((await register((await maker()).pem, {}, harness.other.key)).body.code).toBe('authority_limit')
    await harness.pool.query('DELETE FROM device_authorities WHERE organization_id = $1', [harness.other.id])
  })
})

describe('a certificate of an authority of the organization', () => {
  it('is a credential with what it was judged by, ends with its certificate, and may name anything', async () => {
    const factory = await maker()
    const authority = (await register(factory.pem)).body
    const deviceId = await newDevice(harness.call)
    const certificate = await factory.issue(2 * DAY_MS)
    const added = await attest(deviceId, authority.id, certificate)
    expect(added.status, added.text).toBe(201)
    expect(added.body).toMatchObject({
      kind: 'certificate',
      state: 'active',
      certificate: { chain: certificate, authorityId: authority.id, refusal: null },
    })
    const der = Buffer.from(certificate.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')
    const { notAfterMs, serial } = good(readCertificate(der))
    expect([new Date(added.body.expiresAt).getTime(), added.body.certificate.serial]).toEqual([notAfterMs, serial])
    expect(await found(deviceId)).toEqual([
      {
        kind: 'certificate',
        id: added.body.id,
        fingerprint: createHash('sha256').update(der).digest('hex'),
        authority: factory.pem,
      },
    ])
    expect((await harness.call<Body>('GET', `/v1/device-authorities/${authority.id}`)).body.credentialCount).toBe(1)
    const again = await attest(await newDevice(harness.call), authority.id, certificate)
    expect(again).toMatchObject({ status: 409, body: { code: 'certificate_in_use' } })
    const revoked = await harness.call('DELETE', `/v1/devices/${deviceId}/credentials/${added.body.id}`)
    expect(revoked.status).toBe(204)
    expect(await found(deviceId)).toEqual([])
    const { rows } = await harness.pool.query('SELECT 1 FROM revoked_certificates WHERE serial = $1', [serial])
    expect(rows, 'a serial of theirs is not on a list of ours').toEqual([])
  })

  it('is refused by name when the authority has not issued it, when it is over, and without one of both fields', async () => {
    const [factory, other] = [await maker(), await maker()]
    const authority = (await register(factory.pem)).body
    const deviceId = await newDevice(harness.call)
    for (const [certificate, message] of [
      [await other.issue(), 'no chain of issuers'],
      [factory.pem, 'has the authority itself'],
      ['hello', 'must be certificates in pem'],
      [(await factory.issue()).repeat(5), 'more than 4 certificates'],
    ] as const) {
      const refused = await attest(deviceId, authority.id, certificate)
      expect([refused.status, refused.body.code], refused.text).toEqual([422, 'certificate_refused'])
      expect(refused.body.detail.toLowerCase()).toContain(message)
    }
    for (const [body, pointer] of [
      [{ authorityId: authority.id }, '/certificate'],
      [{ certificate: await factory.issue() }, '/authorityId'],
      [{ authorityId: authority.id, certificate: 'x', csr: newCertificateRequest().csr }, '/csr'],
    ] as const) {
      const refused = await harness.call('POST', `/v1/devices/${deviceId}/credentials`, {
        body: { kind: 'certificate', ...body },
      })
      expect(refused).toMatchObject({ status: 400, body: { errors: [{ pointer }] } })
    }
    const ppk = await attest(deviceId, authority.id, await factory.issue(), { kind: 'ppk' })
    expect(ppk.body.errors?.map(({ pointer }) => pointer)).toEqual(['/authorityId', '/certificate'])
  })

  it('tells the configuration of its device which kind of key that has', async () => {
    const factory = await maker()
    const authority = (await register(factory.pem)).body
    const deviceId = await newDevice(harness.call)
    const url = `/v1/devices/${deviceId}/config?target=ios-xe&auth=certificate`
    expect((await harness.call('GET', url)).text).toContain('rsa-sig')
    await attest(deviceId, authority.id, await factory.issue())
    expect((await harness.call('GET', url)).text).toContain('ecdsa-sig')
  })

  it('that the list of its authority names is refused', async () => {
    const factory = await maker()
    const authority = (await register(factory.pem)).body
    const certificate = await factory.issue()
    await harness.pool.query('UPDATE device_authorities SET revoked_serials = $2 WHERE id = $1', [
      authority.id,
      [serialOf(certificate)],
    ])
    const refused = await attest(await newDevice(harness.call), authority.id, certificate)
    expect(refused).toMatchObject({ status: 422, body: { code: 'certificate_refused' } })
  })

  it('A03 never names an authority of another organization, over the API or in the table', async () => {
    const factory = await maker()
    const theirs = (await register(factory.pem, {}, harness.other.key)).body
    const deviceId = await newDevice(harness.call)
    const refused = await attest(deviceId, theirs.id, await factory.issue())
    expect(refused).toMatchObject({ status: 404, body: { code: 'not_found' } })
    const insert = harness.pool.query(
      `INSERT INTO credentials (id, organization_id, device_id, kind, authority_id, certificates, fingerprint, path_serials, expires_at)
       VALUES ('crd_x', $1, $2, 'certificate', $3, 'PEM', 'ff', '{01}', now() + interval '1 day')`,
      [harness.organization.id, deviceId, theirs.id],
    )
    await expect(insert).rejects.toThrow('credentials_organization_id_authority_id_fkey')
  })

  it('goes with its authority: detached, its tunnels closed, told, and kept as revoked', async () => {
    const factory = await maker()
    const authority = (await register(factory.pem)).body
    const [deviceId, stays] = [await newDevice(harness.call), await newDevice(harness.call)]
    const { id } = (await attest(deviceId, authority.id, await factory.issue())).body
    const psk = await harness.call<Body>('POST', `/v1/devices/${stays}/credentials`, { body: {} })
    await attest(stays, authority.id, await factory.issue())
    await setAttached(harness.pool, 'con-1', deviceId, 'attached', { credentialId: id })
    const tunnels = await Promise.all(
      [deviceId, stays].map((of) =>
        harness.call<Body>('POST', '/v1/tunnels?wait=0', { body: { deviceId: of, port: 22, waitForDevice: true } }),
      ),
    )
    const versionOf = async (): Promise<number> => {
      const { rows } = await harness.pool.query<{ v: number }>(
        'SELECT policy_version AS v FROM devices WHERE id = $1',
        [deviceId],
      )
      return rows[0]?.v ?? 0
    }
    const version = await versionOf()
    expect((await harness.call('DELETE', `/v1/device-authorities/${authority.id}`)).status).toBe(204)
    expect(await versionOf()).toBe(version + 1)
    expect(await found(deviceId)).toEqual([])
    expect((await found(stays)).map((one) => one.id)).toEqual([psk.body.id])
    const [gone, kept] = await Promise.all(tunnels.map(({ body }) => harness.call('GET', `/v1/tunnels/${body.id}`)))
    expect(gone?.body).toMatchObject({ reason: 'credential_revoked' })
    expect(kept?.body).toMatchObject({ state: 'waiting_for_device' })
    const left = await harness.call('GET', `/v1/devices/${deviceId}/credentials/${id}`)
    expect(left.body).toMatchObject({ state: 'revoked', certificate: { authorityId: authority.id } })
    const { rows } = await harness.pool.query('SELECT type FROM events WHERE resource_id = $1 ORDER BY sequence', [id])
    expect(rows).toEqual([{ type: 'credential.created' }, { type: 'credential.revoked' }])
  })

  it('goes with its authority also where there are more than are revoked at once', async () => {
    const factory = await maker()
    const authority = (await register(factory.pem)).body
    await harness.pool.query(
      `INSERT INTO credentials (id, organization_id, device_id, kind, authority_id, certificates, fingerprint, path_serials, expires_at)
       SELECT 'crd_' || lpad(n::text, 16, '0'), $1, $2, 'certificate', $3, 'PEM', 'many' || n, '{01}', now() + interval '1 day' FROM generate_series(1, 1001) n`,
      [harness.organization.id, await newDevice(harness.call), authority.id],
    )
    expect((await harness.call('DELETE', `/v1/device-authorities/${authority.id}`)).status).toBe(204)
    const left = await harness.pool.query(
      `SELECT count(*)::int AS n FROM credentials WHERE former_authority_id = $1 AND revoked_at IS NOT NULL`,
      [authority.id],
    )
    expect(left.rows).toEqual([{ n: 1001 }])
    const told = await harness.pool.query(
      `SELECT count(*)::int AS n FROM events WHERE type = 'credential.revoked' AND resource_id LIKE 'crd\\_000000%'`,
    )
    expect(told.rows).toEqual([{ n: 1001 }])
  })

  it('of an authority that needs a fresh list counts only while there is one', async () => {
    const factory = await maker()
    const revocation = { mode: 'hard', url: 'http://crl.example/f.crl' }
    const authority = (await register(factory.pem, { revocation })).body
    const deviceId = await newDevice(harness.call)
    await attest(deviceId, authority.id, await factory.issue())
    expect(await found(deviceId)).toHaveLength(0)
    const fresh = (until: string): Promise<unknown> =>
      harness.pool.query(`UPDATE device_authorities SET crl_next_update = now() + $2::interval WHERE id = $1`, [
        authority.id,
        until,
      ])
    await fresh('1 hour')
    expect(await found(deviceId)).toHaveLength(1)
    await fresh('-1 second')
    expect(await found(deviceId)).toHaveLength(0)
    await harness.call('PATCH', `/v1/device-authorities/${authority.id}`, {
      body: { revocation: { ...revocation, mode: 'soft' } },
    })
    expect(await found(deviceId)).toHaveLength(1)
  })
})

function serialOf(pem: string): string {
  return good(readCertificate(Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64'))).serial
}

function good<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.fault.code)
  return result.value
}
