/**
 * A database with an organization, an authority and devices with credentials of any kind, and a realm that knows them.
 */
import { createHash, createPrivateKey } from 'node:crypto'
import {
  ensureOrganization,
  generateSealingKeyPair,
  newId,
  openPool,
  publishAuthority,
  sealSecret,
  type Pool,
  type SealingKeyPair,
} from '@culvert/db'
import { signingKey } from '@culvert/crypto'
import {
  createCrlSet,
  makeKeyPair,
  makeRoot,
  openAuthority,
  toPem,
  trustAnchors,
  type Authority,
  type Result,
} from '@culvert/pki'
import { createDatabase, newCertificateRequest, type RequestKey } from '@culvert/testkit'
import type { Realm } from '../realm.ts'

const DAY_MS = 86_400_000

export interface TestDevice {
  readonly deviceId: string
  readonly identity: string
}

export interface TestCertificate {
  readonly credentialId: string
  readonly der: Uint8Array
  /** PEM. */
  readonly certificate: string
  readonly key: string
}

export interface TestAuthority {
  readonly id: string
  readonly authority: Authority
}

export interface DeviceRegistry {
  readonly pool: Pool
  readonly keys: SealingKeyPair
  readonly authority: Authority
  /** With a certificate of the authority. */
  readonly realm: Realm
  /** PEM of the authority. */
  readonly root: string
  addDevice(): Promise<TestDevice>
  addSecret(device: TestDevice, kind: 'psk' | 'eap' | 'ppk', secret: string): Promise<string>
  addCertificate(device: TestDevice, identity?: string): Promise<TestCertificate>
  /** Of an organization, the usual one when left out. */
  addAuthority(name: string, organizationId?: string): Promise<TestAuthority>
  /** A certificate of that authority as a credential. */
  addForeign(device: TestDevice, authority: TestAuthority, kind?: RequestKey): Promise<TestCertificate>
  /** With this name, of an authority that nobody here knows. */
  foreignCertificate(identity: string): Promise<Pick<TestCertificate, 'certificate' | 'key'>>
  revoke(credentialId: string): Promise<void>
  close(): Promise<void>
}

export async function createDeviceRegistry(serverUrl: string): Promise<DeviceRegistry> {
  const pool = openPool(await createDatabase(serverUrl))
  const organizationId = (await ensureOrganization(pool, { name: 'Acme', slug: 'acme' })).id
  await pool.query(
    `INSERT INTO networks (id, organization_id, name, pool4) VALUES ('net_a', $1, 'default', '10.128.0.0/20')`,
    [organizationId],
  )
  const keys = await generateSealingKeyPair()
  const material = good(await makeRoot({ name: 'Root', atMs: Date.now(), lifetimeMs: 365 * DAY_MS }))
  const authority = good(await openAuthority(material))
  const root = toPem(material.certificate, 'CERTIFICATE')
  const id = createHash('sha256').update(material.certificate).digest('hex')
  await publishAuthority(pool, { id, certificate: root, notAfter: new Date(Date.now() + 300 * DAY_MS) })
  let devices = 0

  async function insert(columns: Record<string, unknown>): Promise<void> {
    const names = Object.keys(columns)
    const places = names.map((_, index) => `$${index + 1}`)
    await pool.query(
      `INSERT INTO credentials (${names.join()}) VALUES (${places.join()})`,
      names.map((name) => columns[name]),
    )
  }

  return {
    pool,
    keys,
    authority,
    root,
    realm: await realmOf(authority, material.certificate, root),
    async addDevice() {
      devices++
      const [deviceId, identity] = [newId('dev'), `d${devices}.acme.example`]
      await pool.query(
        `INSERT INTO devices (id, organization_id, network_id, name, iccid, ike_identity, address4) VALUES ($1, $2, 'net_a', $1, $3, $4, $5)`,
        [deviceId, organizationId, `8900000000000000${100 + devices}`, identity, `10.128.0.${9 + devices}`],
      )
      return { deviceId, identity }
    },
    async addSecret({ deviceId, identity }, kind, secret) {
      const credentialId = newId('crd')
      const binding = { organizationId, deviceId, credentialId }
      const sealed = await sealSecret(keys.publicKey, new TextEncoder().encode(secret), binding)
      await insert({
        id: credentialId,
        organization_id: organizationId,
        device_id: deviceId,
        kind,
        sealed_secret: Buffer.from(sealed),
        sealing_key_id: keys.keyId,
        ...(kind === 'eap' && { method: 'mschapv2', identity: `user.${identity}` }),
        ...(kind === 'ppk' && { identity: `${deviceId}.ppk`, is_required: true }),
      })
      return credentialId
    },
    async addCertificate({ deviceId, identity }, named = identity) {
      const credentialId = newId('crd')
      const request = newCertificateRequest()
      const options = { identity: named, atMs: Date.now(), lifetimeMs: DAY_MS }
      const issued = good(await authority.signDeviceCertificate(request.der, options))
      const certificate = toPem(issued.certificate, 'CERTIFICATE')
      await insert({
        id: credentialId,
        organization_id: organizationId,
        device_id: deviceId,
        kind: 'certificate',
        csr: Buffer.from(request.der),
        issuance: 'issued',
        certificates: certificate,
        serial: issued.serial,
        fingerprint: createHash('sha256').update(issued.certificate).digest('hex'),
        expires_at: new Date(issued.notAfterMs),
      })
      const key = request.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
      return { credentialId, der: issued.certificate, certificate, key }
    },
    async addAuthority(name, ofOrganization = organizationId) {
      const material = good(await makeRoot({ name, atMs: Date.now(), lifetimeMs: 365 * DAY_MS }))
      const authorityId = newId('aut')
      const fingerprint = createHash('sha256').update(material.certificate).digest('hex')
      await pool.query(
        `INSERT INTO device_authorities (id, organization_id, name, certificate, fingerprint, subject, not_after)
         VALUES ($1, $2, $3, $4, $5, $3, now() + interval '300 days')`,
        [authorityId, ofOrganization, name, toPem(material.certificate, 'CERTIFICATE'), fingerprint],
      )
      return { id: authorityId, authority: good(await openAuthority(material)) }
    },
    async addForeign({ deviceId }, { id: authorityId, authority: issuer }, kind) {
      const credentialId = newId('crd')
      const request = newCertificateRequest('x', kind)
      const options = { identity: 'sn-1.factory.example', atMs: Date.now(), lifetimeMs: DAY_MS }
      const issued = good(await issuer.signDeviceCertificate(request.der, options))
      const certificate = toPem(issued.certificate, 'CERTIFICATE')
      await insert({
        id: credentialId,
        organization_id: organizationId,
        device_id: deviceId,
        kind: 'certificate',
        authority_id: authorityId,
        certificates: certificate,
        fingerprint: createHash('sha256').update(issued.certificate).digest('hex'),
        path_serials: [issued.serial],
        expires_at: new Date(issued.notAfterMs),
      })
      const key = request.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
      return { credentialId, der: issued.certificate, certificate, key }
    },
    async foreignCertificate(identity) {
      const root = good(await makeRoot({ name: 'Other', atMs: Date.now(), lifetimeMs: 365 * DAY_MS }))
      const request = newCertificateRequest()
      const options = { identity, atMs: Date.now(), lifetimeMs: DAY_MS }
      const issued = good(await good(await openAuthority(root)).signDeviceCertificate(request.der, options))
      const key = request.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
      return { certificate: toPem(issued.certificate, 'CERTIFICATE'), key }
    },
    async revoke(credentialId) {
      await pool.query(`UPDATE credentials SET revoked_at = now() WHERE id = $1`, [credentialId])
    },
    close: () => pool.end(),
  }
}

async function realmOf(authority: Authority, rootDer: Uint8Array, root: string): Promise<Realm> {
  const pair = await makeKeyPair('p256')
  const names = ['con.example']
  const options = { publicKey: pair.publicKey, names, atMs: Date.now(), lifetimeMs: DAY_MS }
  const { certificate } = good(await authority.issueGatewayCertificate(options))
  const key = signingKey(pair.privateKey)
  if (key === null) throw new Error('a key of ours')
  const pem = createPrivateKey({ key: Buffer.from(pair.privateKey), format: 'der', type: 'pkcs8' })
  const signer = { key, certificates: [certificate] }
  const tls = {
    chain: toPem(certificate, 'CERTIFICATE'),
    key: pem.export({ format: 'pem', type: 'pkcs8' }).toString(),
  }
  return {
    proofs: { signer, others: [], tls },
    signer,
    otherSigners: [],
    trust: { anchors: good(trustAnchors([rootDer])), crls: createCrlSet(), authorities: [root], hashes: [] },
    tiers: ['modern', 'standard'],
  }
}

function good<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.fault.code)
  return result.value
}
