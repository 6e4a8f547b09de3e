import { createHash } from 'node:crypto'
import { registerConcentrator, readPendingGateways, decideGateway } from '@culvert/db'
import { createLogger } from '@culvert/observability'
import { authorityHash, fromPem, toPem, trustAnchors, type IssuedCertificate } from '@culvert/pki'
import { afterAll, beforeAll, beforeEach, expect, inject, it, vi } from 'vitest'
import { createAuthorityBook } from './authority-book.ts'
import { createOwnCertificate, type OwnCertificate } from './own-certificate.ts'
import { createRealm } from './realm.ts'
import { createDeviceRegistry, type DeviceRegistry } from './testing/device-registry.ts'

const until = (probe: () => void | Promise<void>): Promise<void> => vi.waitFor(probe, { timeout: 30_000, interval: 10 })

const DAY_MS = 86_400_000
const log = createLogger('test', 'silent')
let registry: DeviceRegistry
let own: OwnCertificate

beforeAll(async () => {
  registry = await createDeviceRegistry(inject('databaseUrl'))
  await registerConcentrator(registry.pool, {
    id: 'con-1',
    slot: 1,
    addresses: ['192.0.2.1'],
    ikeIdentity: 'con.example',
    tunNamespace: 'tun',
    dialAddress: '10.127.0.1',
  })
})
afterAll(() => registry.close())
beforeEach(() => {
  own = createOwnCertificate(registry.pool, 'con-1', log)
  vi.useRealTimers()
})

/** Plays the signer once. @returns how many requests there were */
async function sign(lifetimeMs = 90 * DAY_MS, authorities = [registry]): Promise<number> {
  const pending = await readPendingGateways(registry.pool)
  for (const request of pending) {
    const { publicKey, names } = request
    const options = { publicKey, names, atMs: Date.now() - 1000, lifetimeMs }
    const made: IssuedCertificate[] = []
    for (const { authority } of authorities) {
      const issued = await authority.issueGatewayCertificate(options)
      if (!issued.ok) throw new Error(issued.fault.code)
      made.push(issued.value)
    }
    const [first] = made
    if (!first) throw new Error('no authority')
    await decideGateway(registry.pool, request, {
      kind: 'issued',
      certificates: made.map(({ certificate }) => toPem(certificate, 'CERTIFICATE')).join(''),
      serial: first.serial,
      fingerprint: createHash('sha256').update(first.certificate).digest('hex'),
      notAfter: new Date(first.notAfterMs),
    })
  }
  return pending.length
}

it('asks once, waits, and proves itself with what the signer made', async () => {
  await own.refresh(registry.realm.trust)
  await own.refresh(registry.realm.trust)
  expect(own.proofs).toBeNull()
  expect(await sign()).toBe(1)
  await own.refresh(registry.realm.trust)
  expect(own.proofs?.signer).toMatchObject({ key: { kind: 'p256' }, certificates: [expect.any(Uint8Array)] })
  await own.refresh(registry.realm.trust)
  expect(await readPendingGateways(registry.pool)).toEqual([])
})

it('renews it after two thirds of its life with another key, and keeps the old one meanwhile', async () => {
  await own.refresh(registry.realm.trust)
  await sign(3 * DAY_MS)
  await own.refresh(registry.realm.trust)
  const first = own.proofs
  vi.useFakeTimers({ now: Date.now() + 2.1 * DAY_MS, toFake: ['Date'] })
  await own.refresh(registry.realm.trust)
  expect(own.proofs).toBe(first)
  expect(await sign()).toBe(1)
  await own.refresh(registry.realm.trust)
  expect(own.proofs?.signer.certificates).not.toEqual(first?.signer.certificates)
})

it('asks for another one when the authorities are others', async () => {
  await own.refresh(registry.realm.trust)
  await sign()
  await own.refresh(registry.realm.trust)
  const other = await createDeviceRegistry(inject('databaseUrl'))
  vi.useFakeTimers({ now: Date.now() + 120_000, toFake: ['Date'] })
  await own.refresh(other.realm.trust)
  expect(await readPendingGateways(registry.pool)).toHaveLength(1)
  await other.close()
})

it('is certified by two authorities while one takes the place of the other, and says which stands for which', async () => {
  const other = await createDeviceRegistry(inject('databaseUrl'))
  const anchors = trustAnchors([registry, other].flatMap(({ root }) => fromPem(root, 'CERTIFICATE') ?? []))
  if (!registry.realm.trust || !anchors.ok) throw new Error('there are authorities')
  const both = { ...registry.realm.trust, anchors: anchors.value }
  await own.refresh(registry.realm.trust)
  await sign()
  await own.refresh(registry.realm.trust)
  expect(own.proofs?.others).toEqual([])
  vi.useFakeTimers({ now: Date.now() + 61_000, toFake: ['Date'] })
  await own.refresh(both) // its certificate is good, but not for devices of the other authority
  expect(await sign(undefined, [other, registry])).toBe(1)
  await own.refresh(both)
  const [mine, theirs] = anchors.value.all.map(({ certificate }) => authorityHash(certificate.spki))
  expect(own.proofs?.signer.authority).toEqual(theirs)
  expect(own.proofs?.others.map(({ authority }) => authority)).toEqual([mine])
  expect(own.proofs?.others[0]?.key).toBe(own.proofs?.signer.key)
  expect(fromPem(own.proofs?.tls.chain ?? '', 'CERTIFICATE')).toHaveLength(1)
  await other.close()
})

it('asks once for another authority that gives it nothing', async () => {
  const other = await createDeviceRegistry(inject('databaseUrl'))
  const anchors = trustAnchors([registry, other].flatMap(({ root }) => fromPem(root, 'CERTIFICATE') ?? []))
  if (!registry.realm.trust || !anchors.ok) throw new Error('there are authorities')
  const both = { ...registry.realm.trust, anchors: anchors.value }
  await own.refresh(both)
  await sign()
  await own.refresh(both)
  vi.useFakeTimers({ now: Date.now() + 61_000, toFake: ['Date'] })
  await own.refresh(both)
  expect(await readPendingGateways(registry.pool)).toEqual([])
  await other.close()
})

it('a node has certificates of two kinds of keys side by side: RSA is for devices that check nothing else', async () => {
  await registry.pool.query('DELETE FROM gateway_certificates')
  const realm = createRealm({ pool: registry.pool, nodeName: 'con-1', command: () => undefined, log })
  for (const kind of ['p256', 'rsa2048'] as const) {
    const one = createOwnCertificate(registry.pool, 'con-1', log, kind)
    await one.refresh(registry.realm.trust)
    expect(await sign()).toBe(1)
    await one.refresh(registry.realm.trust)
    expect(one.proofs?.signer.key).toMatchObject(kind === 'p256' ? { kind } : { kind: 'rsa', bits: 2048 })
  }
  const { rows } = await registry.pool.query('SELECT key_kind FROM gateway_certificates ORDER BY 1')
  expect(rows).toEqual([{ key_kind: 'p256' }, { key_kind: 'rsa2048' }])
  await realm.refresh()
  expect([realm.signer, realm.otherSigners]).toEqual([null, []])
  await sign()
  await realm.refresh()
  expect(realm.signer?.key.kind).toBe('p256')
  await until(async () => {
    await sign()
    await realm.refresh()
    expect(realm.otherSigners.map(({ key }) => key.kind)).toEqual(['rsa'])
  })
  await realm.stop()
})

it('a refusal is repeated later, not at once', async () => {
  await own.refresh(registry.realm.trust)
  const [request] = await readPendingGateways(registry.pool)
  if (request) await decideGateway(registry.pool, request, { kind: 'refused', refusal: 'no' })
  await own.refresh(registry.realm.trust)
  await own.refresh(registry.realm.trust)
  expect(await readPendingGateways(registry.pool)).toEqual([])
  vi.useFakeTimers({ now: Date.now() + 61_000, toFake: ['Date'] })
  await own.refresh(registry.realm.trust)
  expect(await readPendingGateways(registry.pool)).toHaveLength(1)
})

it('knows authorities and what they revoked, and tells the core which tiers and authorities are in use', async () => {
  const book = createAuthorityBook(registry.pool, log)
  await book.refresh()
  const { trust } = book
  expect(trust?.hashes).toHaveLength(1)
  const atMs = Date.now() - 1000
  const list = await registry.authority.issueCrl({
    number: 1,
    revoked: [{ serial: '0a', atMs }],
    atMs,
    lifetimeMs: DAY_MS,
  })
  await registry.pool.query(`UPDATE certificate_authorities SET crl = $1`, [Buffer.from(list)])
  await book.refresh()
  expect(book.trust).toBe(trust)
  const [anchor] = trust?.anchors.all ?? []
  expect(anchor && trust?.crls.of(anchor.certificate)?.revoked.size).toBe(1)

  const commands: object[] = []
  const realm = createRealm({ pool: registry.pool, nodeName: 'con-1', command: (one) => void commands.push(one), log })
  await Promise.all([realm.refresh(), realm.refresh()])
  expect(commands).toEqual([
    { kind: 'acceptTiers', names: ['modern', 'standard'] },
    { kind: 'acceptAuthorities', hashes: trust?.hashes },
  ])
  await registry.pool.query(`UPDATE networks SET proposal_tiers = ARRAY['compat']`)
  await realm.refresh()
  expect(commands.at(-1)).toEqual({ kind: 'acceptTiers', names: ['modern', 'standard', 'compat'] })
  expect(realm.tiers).toContain('compat')
  await realm.stop()
})
