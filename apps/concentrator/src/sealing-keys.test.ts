import { readSealingKeys } from '@culvert/config'
import { createCredentialCache } from '@culvert/concentrator-core'
import {
  createKeyRing,
  createSecretSealer,
  ensureOrganization,
  generateSealingKeyPair,
  newId,
  openPool,
  resealSecrets,
  sealSecret,
  verifyAuditChain,
  type Pool,
  type SealingKeyPair,
} from '@culvert/db'
import { createLogger } from '@culvert/observability'
import { createDatabase } from '@culvert/testkit'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { createCredentialDesk } from './credential-desk.ts'

let owner: Pool
let node: Pool
let resealer: Pool
let organizationId: string
let old: SealingKeyPair
let next: SealingKeyPair
const identities: string[] = []

beforeAll(async () => {
  const url = await createDatabase(inject('databaseUrl'))
  owner = openPool(url, { max: 2 })
  node = openPool(url, { max: 2, role: 'culvert_concentrator' })
  resealer = openPool(url, { max: 1, role: 'culvert_resealer' })
  organizationId = (await ensureOrganization(owner, { name: 'Acme', slug: 'acme' })).id
  ;[old, next] = [await generateSealingKeyPair(), await generateSealingKeyPair()]
  await owner.query(
    `INSERT INTO networks (id, organization_id, name, pool4) VALUES ('net_a', $1, 'default', '10.128.0.0/20')`,
    [organizationId],
  )
  for (let number = 1; number <= 7; number++) identities.push(await addDevice(number, old))
})
afterAll(async () => {
  await Promise.all([owner.end(), node.end(), resealer.end()])
})

const secretOf = (number: number): Uint8Array => new TextEncoder().encode(`the secret of device number ${number}`)

async function addDevice(number: number, key: SealingKeyPair): Promise<string> {
  const [deviceId, credentialId] = [newId('dev'), newId('crd')]
  const identity = `d${number}.acme.example`
  await owner.query(
    `INSERT INTO devices (id, organization_id, network_id, name, iccid, ike_identity, address4) VALUES ($1, $2, 'net_a', $1, $3, $4, $5)`,
    [deviceId, organizationId, `89000000000000000${number}`, identity, `10.128.0.${9 + number}`],
  )
  const sealed = await sealSecret(key.publicKey, secretOf(number), { organizationId, deviceId, credentialId })
  await owner.query(
    `INSERT INTO credentials (id, organization_id, device_id, kind, sealed_secret, sealing_key_id) VALUES ($1, $2, $3, 'psk', $4, $5)`,
    [credentialId, organizationId, deviceId, Buffer.from(sealed), key.keyId],
  )
  return identity
}

/** What a node with these keys answers devices that come now: which of them it can prove. */
async function opened(...keys: SealingKeyPair[]): Promise<number[]> {
  const desk = createCredentialDesk({
    pool: node,
    cache: createCredentialCache({ entries: 100, freshMs: 60_000, staleMs: 60_000, unknownMs: 60_000 }),
    secrets: createKeyRing(keys.map(({ privateKey }) => privateKey)),
    log: createLogger('test', 'silent'),
  })
  const found = await Promise.all(identities.map((identity) => desk.findByName(identity)))
  return found.flatMap((device, index) => {
    const [credential] = device?.credentials ?? []
    const proves = credential?.kind === 'psk' && Buffer.from(credential.secret).equals(secretOf(index + 1))
    return proves ? [index + 1] : []
  })
}

it('a sealing key is replaced while nodes with both keys go on, and a run that was stopped is gone on with', async () => {
  const all = [1, 2, 3, 4, 5, 6, 7]
  expect(await opened(old)).toEqual(all)
  expect(await opened(old, next)).toEqual(all)

  const ring = createKeyRing([old.privateKey, next.privateKey])
  expect(ring.keyIds).toEqual([old.keyId, next.keyId])
  const seal = createSecretSealer(next.publicKey)
  let sealed = 0
  const stopped = resealSecrets(resealer, {
    ring,
    keyId: next.keyId,
    batch: 2,
    seal: async (secret, binding) => {
      if (++sealed === 6) throw new Error('the machine was switched off')
      return seal(secret, binding)
    },
  })
  await expect(stopped).rejects.toThrow('switched off')
  const { rows } = await owner.query('SELECT count(*)::int AS n FROM credentials WHERE sealing_key_id = $1', [
    next.keyId,
  ])
  expect(rows).toEqual([{ n: 4 }])
  expect(await opened(old, next)).toEqual(all)

  expect(await resealSecrets(resealer, { ring, seal, keyId: next.keyId, batch: 2 })).toEqual({
    resealed: 3,
    unreadable: 0,
  })
  expect(await opened(next)).toEqual(all)
  expect(await opened(old)).toEqual([])
  expect(await resealSecrets(resealer, { ring, seal, keyId: next.keyId })).toEqual({ resealed: 0, unreadable: 0 })
  expect(await verifyAuditChain(owner, organizationId)).toMatchObject({ entries: 4, fault: null })
})

it('what no key opens stays as it is and is counted, and the API cannot do this work', async () => {
  const foreign = await generateSealingKeyPair()
  identities.push(await addDevice(8, foreign))
  const ring = createKeyRing([next.privateKey])
  const seal = createSecretSealer(next.publicKey)
  expect(await resealSecrets(resealer, { ring, seal, keyId: next.keyId })).toEqual({ resealed: 0, unreadable: 1 })
  expect(await opened(foreign)).toEqual([8])
  const api = openPool(owner.options.connectionString ?? '', { max: 1, role: 'culvert_api' })
  await expect(resealSecrets(api, { ring, seal, keyId: next.keyId })).rejects.toThrow('permission denied')
  await api.end()
})

it('the file of a node holds one key or several, and nothing else', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'culvert-sealing-'))
  const file = path.join(folder, 'key')
  const write = (text: string): void => fs.writeFileSync(file, text, { mode: 0o600 })
  try {
    write(`${old.privateKey}\n`)
    expect(await readSealingKeys(file, 'SEALING_PRIVATE_KEY_FILE')).toEqual([old.privateKey])
    write(`${old.privateKey}\n${next.privateKey}\n`)
    expect(await readSealingKeys(file, 'SEALING_PRIVATE_KEY_FILE')).toEqual([old.privateKey, next.privateKey])
    for (const wrong of ['', 'short', `${old.privateKey}\nshort`]) {
      write(wrong)
      await expect(readSealingKeys(file, 'SEALING_PRIVATE_KEY_FILE')).rejects.toThrow('does not hold a key')
    }
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
})
