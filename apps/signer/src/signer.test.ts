import {
  addCredential,
  createDevice,
  createDeviceLookup,
  deleteDevice,
  ensureOrganization,
  findCredential,
  listAuthorities,
  newId,
  openPool,
  readGatewayCertificate,
  registerConcentrator,
  requestGatewayCertificate,
  revokeCredential,
  type CredentialRecord,
  type Pool,
  systemAuthor,
} from '@culvert/db'
import { luhnCheckDigit } from '@culvert/lifecycle'
import { createDatabase, newCertificateRequest } from '@culvert/testkit'
import { randomInt, X509Certificate } from 'node:crypto'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fromPem, readCrl } from '@culvert/pki'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { loadAuthority, readPassphrase, runSigner, type LoadedAuthority, type RunningSigner } from './index.ts'

const by = systemAuthor('test')

const DAY_MS = 86_400_000
const folder = fs.mkdtempSync(path.join(tmpdir(), 'culvert-signer-'))
const keyFile = path.join(folder, 'authority.pem')
let databaseUrl = ''
let pool: Pool
let authority: LoadedAuthority
let signer: RunningSigner
let organizationId = ''

beforeAll(async () => {
  databaseUrl = await createDatabase(inject('databaseUrl'))
  pool = openPool(databaseUrl)
  organizationId = (await ensureOrganization(pool, { name: 'Acme', slug: 'acme' })).id
  authority = await loadAuthority(keyFile, pool)
  signer = runSigner({ databaseUrl, authority, lifetimes: { deviceMs: 30 * DAY_MS, gatewayMs: 5 * DAY_MS } })
})
afterAll(async () => {
  await signer.close()
  await pool.end()
  fs.rmSync(folder, { recursive: true })
})

interface Registered {
  readonly id: string
  readonly ikeIdentity: string
}

async function newDevice(): Promise<Registered> {
  const digits = `8944${Array.from({ length: 15 }, () => randomInt(10)).join('')}`
  const device = await createDevice(
    pool,
    {
      organizationId,
      zone: 'fleet.test',
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
  return device
}

async function ask(
  device: Registered,
  csr: Uint8Array = newCertificateRequest().der,
  expiresAt: Date | null = null,
): Promise<string> {
  const id = newId('crd')
  const added = await addCredential(
    pool,
    {
      kind: 'certificate',
      id,
      organizationId,
      deviceId: device.id,
      csr,
      expiresAt,
    },
    { by },
  )
  if (typeof added === 'string') throw new Error(added)
  return id
}

const read = async (device: Registered, id: string): Promise<CredentialRecord> =>
  (await findCredential(pool, { organizationId, deviceId: device.id, id })) as CredentialRecord

describe('a certificate for a device', () => {
  it('holds the key of its request and the identity of the registry, whatever the request says', async () => {
    const device = await newDevice()
    const request = newCertificateRequest('admin.example')
    const id = await ask(device, request.der)
    await signer.pass()
    const record = await read(device, id)
    expect(record).toMatchObject({ issuance: 'issued', refusal: null })
    const certificate = new X509Certificate(record.certificates ?? '')
    expect(certificate.subjectAltName).toBe(`DNS:${device.ikeIdentity}`)
    expect(certificate.toString()).not.toContain('admin')
    expect(certificate.checkPrivateKey(request.privateKey)).toBe(true)
    expect(certificate.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true)
    expect(certificate.ca).toBe(false)
    expect(certificate.fingerprint256.replaceAll(':', '').toLowerCase()).toBe(record.fingerprint)
    expect(Number(record.expiresAt) - Date.now()).toBeLessThanOrEqual(30 * DAY_MS)
    const found = await createDeviceLookup(pool).find(device.ikeIdentity)
    expect(found?.credentials).toEqual([{ kind: 'certificate', id, fingerprint: record.fingerprint, authority: null }])
  })

  it('ends when the customer wants it, if that is earlier', async () => {
    const device = await newDevice()
    const expiresAt = new Date(Math.ceil(Date.now() / 1000) * 1000 + 2 * DAY_MS)
    const id = await ask(device, undefined, expiresAt)
    await signer.pass()
    expect(Math.abs(Number((await read(device, id)).expiresAt) - Number(expiresAt))).toBeLessThan(2_000)
  })

  it('is refused for a request that proves no key, with an event and nothing valid', async () => {
    const device = await newDevice()
    const { der } = newCertificateRequest()
    der[der.length - 1] = (der.at(-1) ?? 0) ^ 1
    const id = await ask(device, der)
    await signer.pass()
    expect(await read(device, id)).toMatchObject({ issuance: 'refused', certificates: null })
    expect((await read(device, id)).refusal).toMatch(/signature/)
    const { rows } = await pool.query('SELECT type FROM events WHERE resource_id = $1 ORDER BY sequence', [id])
    expect(rows.map(({ type }) => type)).toEqual(['credential.created', 'credential.refused'])
    expect((await createDeviceLookup(pool).find(device.ikeIdentity))?.credentials).toEqual([])
  })

  it('is not made any more once it was revoked or its device deleted', async () => {
    // No pass may come between: the requests are written without a notice.
    const quiet = async (device: Registered): Promise<string> => {
      const id = newId('crd')
      await pool.query(
        `INSERT INTO credentials (id, organization_id, device_id, kind, issuance, csr, revoked_at)
         VALUES ($1, $2, $3, 'certificate', 'pending', $4, $5)`,
        [
          id,
          organizationId,
          device.id,
          Buffer.from(newCertificateRequest().der),
          device === revoked ? new Date() : null,
        ],
      )
      return id
    }
    const [revoked, deleted] = [await newDevice(), await newDevice()]
    await deleteDevice(pool, { organizationId, id: deleted.id, ifVersion: null }, { by })
    const ids = [await quiet(revoked), await quiet(deleted)]
    await signer.pass()
    const { rows } = await pool.query('SELECT issuance, certificates FROM credentials WHERE id = ANY($1)', [ids])
    const untouched = { issuance: 'pending', certificates: null }
    expect(rows).toEqual([untouched, untouched])
  })

  it('is made once, however many signers there are', async () => {
    const others = [runSigner({ databaseUrl, authority }), runSigner({ databaseUrl, authority })]
    const device = await newDevice()
    const ids = [await ask(device), await ask(device)]
    await Promise.all([signer.pass(), ...others.map((other) => other.pass())])
    for (const id of ids) {
      const { rows } = await pool.query(
        `SELECT type FROM events WHERE resource_id = $1 AND type = 'credential.issued'`,
        [id],
      )
      expect(rows).toHaveLength(1)
    }
    await Promise.all(others.map((other) => other.close()))
  })
})

describe('the revocation list', () => {
  const list = async () => {
    const [known] = await listAuthorities(pool)
    const crl = readCrl(known?.crl ?? new Uint8Array())
    if (!crl.ok) throw new Error(crl.fault.code)
    return {
      crl: crl.value,
      number: (await pool.query('SELECT crl_number::int AS n FROM certificate_authorities')).rows[0].n,
    }
  }

  it('has the serial of a revoked certificate, also after its device is gone, and changes only when it must', async () => {
    const device = await newDevice()
    const [first, second] = [await ask(device), await ask(device)]
    await signer.pass()
    const before = await list()
    await signer.pass()
    expect((await list()).number).toBe(before.number)
    const serials = [(await read(device, first)).serial ?? '', (await read(device, second)).serial ?? '']
    await revokeCredential(pool, { organizationId, deviceId: device.id, id: first }, { by })
    await signer.pass()
    const after = await list()
    expect(after.number).toBe(before.number + 1)
    expect(serials.map((serial) => after.crl.revoked.has(serial))).toEqual([true, false])
    await deleteDevice(pool, { organizationId, id: device.id, ifVersion: null }, { by })
    await pool.query('DELETE FROM devices WHERE id = $1', [device.id])
    await signer.pass()
    const last = await list()
    expect(serials.map((serial) => last.crl.revoked.has(serial))).toEqual([true, true])
  })
})

describe('the certificate of a concentrator', () => {
  const register = (id: string, slot: number, ikeIdentity: string) =>
    registerConcentrator(pool, {
      id,
      slot,
      addresses: ['192.0.2.1', '2001:db8::1'],
      ikeIdentity,
      tunNamespace: 'tun',
      dialAddress: '10.127.0.1',
    })

  it('names its identity and addresses, for the key of this process life', async () => {
    await register('con-1', 1, 'concentrator.fleet.test')
    const { publicKey, privateKey } = newCertificateRequest()
    await requestGatewayCertificate(pool, 'con-1', publicKey)
    await signer.pass() // it hears of the request by itself too, and may have been faster
    const made = await readGatewayCertificate(pool, 'con-1', publicKey)
    expect(made).toMatchObject({ issuance: 'issued' })
    const certificate = new X509Certificate(made?.certificates ?? '')
    expect(certificate.checkPrivateKey(privateKey)).toBe(true)
    for (const name of ['DNS:concentrator.fleet.test', 'IP Address:192.0.2.1', 'IP Address:2001:DB8:0:0:0:0:0:1'])
      expect(certificate.subjectAltName).toContain(name)
    expect(await readGatewayCertificate(pool, 'con-1', newCertificateRequest().publicKey)).toBeNull()
  })

  it('is refused to a node that calls itself as a device is called', async () => {
    const device = await newDevice()
    await register('con-2', 2, device.ikeIdentity.toUpperCase())
    const { publicKey } = newCertificateRequest()
    await requestGatewayCertificate(pool, 'con-2', publicKey)
    await signer.pass()
    expect(await readGatewayCertificate(pool, 'con-2', publicKey)).toMatchObject({
      issuance: 'refused',
      certificates: null,
    })
  })
})

describe('the key file', () => {
  it('is made once, for this account only, and is the same afterwards', async () => {
    expect(fs.statSync(keyFile).mode & 0o777).toBe(0o600)
    const again = await loadAuthority(keyFile, pool)
    expect([again.id, again.isNew, authority.isNew]).toEqual([authority.id, false, true])
    expect(fs.readdirSync(folder)).toEqual(['authority.pem'])
    expect(fromPem(fs.readFileSync(keyFile, 'utf8'), 'CERTIFICATE')).toHaveLength(1)
  })

  it('is refused when others can read it', async () => {
    const loose = path.join(folder, 'loose.pem')
    fs.copyFileSync(keyFile, loose)
    fs.chmodSync(loose, 0o644)
    await expect(loadAuthority(loose, pool)).rejects.toThrow('mode 600')
    fs.rmSync(loose)
  })

  it('that is gone is not replaced while devices rely on it', async () => {
    const device = await newDevice()
    const id = await ask(device)
    await signer.pass()
    const missing = path.join(folder, 'missing.pem')
    await expect(loadAuthority(missing, pool)).rejects.toThrow('put')
    expect(fs.existsSync(missing)).toBe(false)
    await revokeCredential(pool, { organizationId, deviceId: device.id, id }, { by })
  })

  it('with something else in it is one clear sentence, without what it holds', async () => {
    const other = path.join(folder, 'other.pem')
    fs.writeFileSync(other, 'hunter2', { mode: 0o600 })
    const message = await loadAuthority(other, pool).then(
      () => '',
      (error: unknown) => (error as Error).message,
    )
    expect(message).toContain('does not hold a private key')
    expect(message).not.toContain('hunter2')
    fs.rmSync(other)
  })
})

describe('the key at rest', () => {
  const passphrase = 'a passphrase of more than 32 characters'

  it('is sealed with a passphrase from its first moment on, and opens with no other', async () => {
    const empty = openPool(await createDatabase(inject('databaseUrl')))
    const file = path.join(folder, 'sealed.pem')
    const made = await loadAuthority(file, empty, { passphrase })
    const text = fs.readFileSync(file, 'utf8')
    expect(text).toContain('BEGIN ENCRYPTED PRIVATE KEY')
    expect(text).not.toContain('BEGIN PRIVATE KEY')
    expect((await loadAuthority(file, empty, { passphrase })).id).toBe(made.id)
    await expect(loadAuthority(file, empty, { passphrase: `${passphrase}!` })).rejects.toThrow('does not open')
    await expect(loadAuthority(file, empty)).rejects.toThrow('SIGNER_PASSPHRASE_FILE')
    expect(fs.readFileSync(file, 'utf8')).toBe(text)
    await empty.end()
    fs.rmSync(file)
  })

  it('is sealed in a file where it lay open', async () => {
    const file = path.join(folder, 'open.pem')
    fs.copyFileSync(keyFile, file)
    expect(await loadAuthority(file, pool, { passphrase })).toMatchObject({ id: authority.id, isNew: false })
    expect(fs.readFileSync(file, 'utf8')).not.toContain('BEGIN PRIVATE KEY')
    expect(fs.statSync(file).mode & 0o777).toBe(0o600)
    expect((await loadAuthority(file, pool, { passphrase })).id).toBe(authority.id)
    fs.rmSync(file)
  })

  it('has a passphrase that is long, and nobody else can read', async () => {
    const file = path.join(folder, 'passphrase')
    await expect(readPassphrase(file)).rejects.toThrow('is not there')
    fs.writeFileSync(file, 'too short\n', { mode: 0o600 })
    await expect(readPassphrase(file)).rejects.toThrow('32 characters')
    fs.writeFileSync(file, `${passphrase}\n`)
    expect(await readPassphrase(file)).toBe(passphrase)
    fs.chmodSync(file, 0o640)
    await expect(readPassphrase(file)).rejects.toThrow('mode 600')
    fs.rmSync(file)
  })
})

describe('another authority in the place of one that devices rely on', () => {
  const nextFile = path.join(folder, 'next.pem')
  let next: LoadedAuthority
  let old: { readonly device: Registered; readonly id: string }

  beforeAll(async () => {
    const device = await newDevice()
    old = { device, id: await ask(device) }
    await signer.pass()
    await signer.close()
    next = await loadAuthority(nextFile, pool, { former: authority })
    signer = runSigner({ databaseUrl, authority: next, former: authority })
    await signer.pass()
  })
  const isSignedBy = (pem: string, { certificate }: LoadedAuthority): boolean =>
    new X509Certificate(pem).verify(new X509Certificate(certificate).publicKey)

  it('stands beside it: the new one signs, both are trusted', async () => {
    expect([next.isNew, next.id === authority.id]).toEqual([true, false])
    expect((await listAuthorities(pool)).map(({ id }) => id)).toEqual([next.id, authority.id])
    const device = await newDevice()
    const id = await ask(device)
    await signer.pass()
    const made = (await read(device, id)).certificates ?? ''
    expect([isSignedBy(made, next), isSignedBy(made, authority)]).toEqual([true, false])
    expect(isSignedBy((await read(old.device, old.id)).certificates ?? '', authority)).toBe(true)
  })

  it('certifies a concentrator together with it, one certificate each for the same key', async () => {
    const { publicKey, privateKey } = newCertificateRequest()
    await requestGatewayCertificate(pool, 'con-1', publicKey)
    await signer.pass()
    const made = await readGatewayCertificate(pool, 'con-1', publicKey)
    const pems = (fromPem(made?.certificates ?? '', 'CERTIFICATE') ?? []).map((der) => new X509Certificate(der))
    expect(pems.map((pem) => pem.checkPrivateKey(privateKey))).toEqual([true, true])
    expect(pems.map((pem) => isSignedBy(pem.toString(), next))).toEqual([true, false])
    expect(pems.map((pem) => isSignedBy(pem.toString(), authority))).toEqual([false, true])
  })

  it('is made beside one that this installation knows, and beside no other', async () => {
    const strange = openPool(await createDatabase(inject('databaseUrl')))
    const stranger = await loadAuthority(path.join(folder, 'stranger.pem'), strange)
    await strange.end()
    const file = path.join(folder, 'another.pem')
    await expect(loadAuthority(file, pool, { former: stranger })).rejects.toThrow('put')
    expect(fs.existsSync(file)).toBe(false)
    expect(await listAuthorities(pool)).toHaveLength(2)
  })

  it('the former one goes on saying what is revoked', async () => {
    const { serial } = await read(old.device, old.id)
    await revokeCredential(pool, { organizationId, deviceId: old.device.id, id: old.id }, { by })
    await signer.pass()
    for (const { crl } of await listAuthorities(pool)) {
      const list = readCrl(new Uint8Array(crl ?? []))
      expect(list.ok && list.value.revoked.has(serial ?? '')).toBe(true)
    }
  })
})
