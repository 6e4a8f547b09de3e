import {
  mostAttemptsOfDevice,
  mostAttemptsOfSource,
  newId,
  prune,
  writeAttempts,
  type AttachAttempt,
} from '@culvert/db'
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { newConcentrator, newDevice, openHarness, setAttached, type Harness } from './testing/harness.ts'

interface Attempt {
  readonly id: string
  readonly at: string
  readonly detail: string
  readonly identified: string
  readonly sourceAddress: string
}

let harness: Harness
let deviceId = ''
let foreignDevice = ''
let next = 0
/** An address that no other test uses. */
let address = ''

beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
  await newConcentrator(harness.pool, 'con-1', 1)
})
beforeEach(async () => {
  deviceId = await newDevice(harness.call)
  foreignDevice = await newDevice(harness.call, harness.other.key)
  address = `203.0.113.${++next}`
})
afterAll(() => harness.close())

const daysAgo = (days: number): Date => new Date(Date.now() - days * 86_400_000)

function attempt(changes: Partial<AttachAttempt> = {}): AttachAttempt {
  return {
    at: new Date(),
    sourceAddress: address,
    sourcePort: 4500,
    deviceId: null,
    isProven: false,
    stage: 'init',
    reason: 'no_proposal',
    detail: 'no proposal can be taken',
    offered: null,
    nearest: null,
    matchingTier: null,
    certificate: null,
    ...changes,
  }
}

/** As if an authority of the organization had issued it. */
async function newCertificate(
  device: string,
): Promise<{ credentialId: string; authorityId: string; fingerprint: string }> {
  const { pool, organization } = harness
  const [authorityId, credentialId] = [newId('aut'), newId('crd')]
  await pool.query(
    `INSERT INTO device_authorities (id, organization_id, name, certificate, fingerprint, subject, not_after)
     VALUES ($1, $2, 'factory', '-----BEGIN CERTIFICATE-----', $3, 'Factory', now() + interval '1 day')`,
    [authorityId, organization.id, fingerprintOf(authorityId)],
  )
  await pool.query(
    `INSERT INTO credentials (id, organization_id, device_id, kind, authority_id, certificates, fingerprint, path_serials, expires_at)
     VALUES ($1, $2, $3, 'certificate', $4, 'PEM', $5, '{01}', now() + interval '1 day')`,
    [credentialId, organization.id, device, authorityId, fingerprintOf(credentialId)],
  )
  return { credentialId, authorityId, fingerprint: fingerprintOf(credentialId) }
}

const fingerprintOf = (text: string): string => createHash('sha256').update(text).digest('hex')

const write = (...attempts: AttachAttempt[]) => writeAttempts(harness.pool, 'con-1', attempts)
const seenAt = (device: string, remoteAddress: string) =>
  setAttached(harness.pool, 'con-1', device, 'attached', { remoteAddress })
const list = async (device = deviceId, key = harness.organization.key): Promise<readonly Attempt[]> =>
  (await harness.call<{ data: Attempt[] }>('GET', `/v1/devices/${device}/attempts`, { key })).body.data

describe('attempts of a device', () => {
  it('show what was offered with names and numbers, the nearest match and what to do', async () => {
    const offered = [
      {
        number: 1,
        protocolId: 1,
        transforms: [
          { type: 1, id: 12, keyBits: 256, name: 'ENCR_AES_CBC-256' },
          { type: 4, id: 2, keyBits: null, name: 'KE_MODP_1024' },
        ],
      },
    ]
    const nearest = {
      tier: 'standard' as const,
      proposal: 1,
      differsIn: [{ type: 'KE', offered: ['KE_MODP_1024'], accepted: ['KE_MODP_2048'] }],
    }
    await write(attempt({ deviceId, isProven: true, stage: 'auth', offered, nearest, matchingTier: 'compat' }))
    const answer = await harness.call('GET', `/v1/devices/${deviceId}/attempts`)
    expect(answer.body).toMatchObject({
      data: [
        {
          concentratorId: 'con-1',
          sourceAddress: address,
          identified: 'proven',
          stage: 'auth',
          reason: 'no_proposal',
          offered: [{ number: 1, protocol: 'IKE', transforms: offered[0]?.transforms }],
          nearest,
          matchingTier: 'compat',
          hint: expect.stringContaining('Allow compat for this device'),
        },
      ],
    })
    await harness.call('PATCH', `/v1/devices/${deviceId}`, { body: { proposalTiers: ['compat'] } })
    expect((await harness.call('GET', `/v1/devices/${deviceId}/attempts`)).text).toContain('let it try again')
  })

  it.each([
    ['that is revoked', 'credential_revoked', 'the credential of its certificate is revoked'],
    ['that has expired', 'credential_expired', 'the credential of its certificate has expired'],
    ['of an authority that was deleted', 'credential_revoked', 'the authority of its certificate was deleted'],
    ['of an authority that has expired', 'credential_expired', 'the authority of its certificate has expired'],
    [
      'of an authority without the fresh list that it needs',
      'refused',
      'the authority of its certificate needs a fresh list of revoked ones',
    ],
    ['that is good by now', 'authentication_failed', 'identity not known'],
    ['of another device', 'authentication_failed', 'identity not known'],
  ] as const)('say what became of a certificate %s', async (what, reason, detail) => {
    const holder = what === 'of another device' ? await newDevice(harness.call) : deviceId
    const { credentialId, authorityId, fingerprint } = await newCertificate(holder)
    const authority = `/v1/device-authorities/${authorityId}`
    const change = (text: string): Promise<unknown> =>
      harness.pool.query(`UPDATE ${text} WHERE id = $1`, [text.startsWith('c') ? credentialId : authorityId])
    if (what === 'that is revoked' || what === 'of another device')
      await harness.call('DELETE', `/v1/devices/${holder}/credentials/${credentialId}`)
    if (what === 'that has expired') await change(`credentials SET expires_at = now() - interval '1 ms'`)
    if (what === 'of an authority that has expired')
      await change(`device_authorities SET not_after = now() - interval '1 ms'`)
    if (what === 'of an authority that was deleted') await harness.call('DELETE', authority)
    if (what === 'of an authority without the fresh list that it needs') {
      const revocation = { mode: 'hard', url: 'http://crl.example/f.crl' }
      await harness.call('PATCH', authority, { body: { revocation } })
    }
    const failed = { stage: 'auth', reason: 'authentication_failed', detail: 'identity not known' } as const
    await write(attempt({ deviceId, ...failed, certificate: fingerprint }))
    expect(await list()).toMatchObject([{ reason, detail, identified: 'claimed' }])
  })

  it('come newest first, a page at a time', async () => {
    await write(...[3, 1, 2].map((days) => attempt({ deviceId, at: daysAgo(days), detail: `${days} days` })))
    const url = `/v1/devices/${deviceId}/attempts?limit=2`
    const first = await harness.call<{ data: Attempt[]; nextCursor: string }>('GET', url)
    expect(first.body.data.map(({ detail }) => detail)).toEqual(['1 days', '2 days'])
    const second = await harness.call<{ data: Attempt[] }>('GET', `${url}&cursor=${first.body.nextCursor}`)
    expect(second.body.data.map(({ detail }) => detail)).toEqual(['3 days'])
    const other = await newDevice(harness.call)
    const foreign = await harness.call('GET', `/v1/devices/${other}/attempts?cursor=${first.body.nextCursor}`)
    expect(foreign.body).toMatchObject({ code: 'invalid_cursor' })
  })

  it('say whether the device was proven, claimed or only guessed by its address', async () => {
    await seenAt(deviceId, address)
    await write(
      attempt({ deviceId, isProven: true, at: daysAgo(1) }),
      attempt({ deviceId, at: daysAgo(2) }),
      attempt({ at: daysAgo(3) }),
    )
    expect((await list()).map(({ identified }) => identified)).toEqual(['proven', 'claimed', 'by_address'])
  })

  it('hold no control characters, however the peer chose its words', async () => {
    await write(attempt({ deviceId, detail: `a\u001b[31m\u0000b\u202e${'x'.repeat(600)}` }))
    const [shown] = await list()
    expect(shown?.detail).toMatch(/^a \[31m b x+$/)
    expect(shown?.detail).toHaveLength(500)
  })

  it('are a bounded number for each device and each source, the newest', async () => {
    const many = Array.from({ length: mostAttemptsOfSource + 5 }, (_, n) =>
      attempt({ deviceId, at: new Date(Date.now() + n), detail: String(n) }),
    )
    await write(...many)
    const kept = await list()
    expect(kept).toHaveLength(mostAttemptsOfSource)
    expect(kept[0]?.detail).toBe(String(many.length - 1))
    for (let source = 0; source < 8; source++) {
      await write(...many.map((one) => ({ ...one, sourceAddress: `198.18.${next}.${source}` })))
    }
    const { rows } = await harness.pool.query('SELECT count(*)::int AS n FROM attach_attempts WHERE device_id = $1', [
      deviceId,
    ])
    expect(rows).toEqual([{ n: mostAttemptsOfDevice }])
  })

  it('are forgotten with time, and with the device', async () => {
    await write(attempt({ deviceId, at: daysAgo(31), detail: 'old' }), attempt({ deviceId, detail: 'new' }))
    await prune(harness.pool)
    expect((await list()).map(({ detail }) => detail)).toEqual(['new'])
    await harness.call('DELETE', `/v1/devices/${deviceId}`)
    await write(attempt({ deviceId, detail: 'late' }))
    const { rows } = await harness.pool.query('SELECT detail FROM attach_attempts WHERE device_id = $1', [deviceId])
    expect(rows).toEqual([{ detail: 'new' }])
  })
})

describe('attempts without an identity', () => {
  it('are shown for the device whose last outer address they came from, and for no other', async () => {
    const sibling = await newDevice(harness.call)
    await seenAt(deviceId, address)
    await seenAt(sibling, '198.51.100.9')
    await write(attempt({ detail: 'mine' }), attempt({ sourceAddress: '192.0.2.99', detail: 'of a stranger' }))
    expect((await list()).map(({ detail }) => detail)).toEqual(['mine'])
    expect(await list(sibling)).toEqual([])
    await seenAt(deviceId, '198.51.100.10')
    expect(await list()).toEqual([])
  })

  it('are not even stored when nobody was seen there, or more than one organization was', async () => {
    await write(attempt())
    await seenAt(deviceId, address)
    await seenAt(foreignDevice, address)
    await write(attempt())
    const { rowCount } = await harness.pool.query('SELECT 1 FROM attach_attempts WHERE source_address = $1', [address])
    expect(rowCount).toBe(0)
  })

  it('vanish when another organization is seen at the address afterwards', async () => {
    await seenAt(deviceId, address)
    await write(attempt())
    expect(await list()).toHaveLength(1)
    await seenAt(foreignDevice, address)
    expect(await list()).toEqual([])
    expect(await list(foreignDevice, harness.other.key)).toEqual([])
  })

  it('vanish when somebody claims there to be a device of another organization', async () => {
    await seenAt(deviceId, address)
    await write(attempt({ detail: 'whose?' }))
    await write(attempt({ deviceId: foreignDevice, stage: 'auth', reason: 'authentication_failed', detail: 'theirs' }))
    expect(await list()).toEqual([])
    expect((await list(foreignDevice, harness.other.key)).map(({ detail }) => detail)).toEqual(['theirs'])
  })

  it('are not hidden by another organization that was seen there more than 30 days before', async () => {
    await seenAt(foreignDevice, address)
    await seenAt(foreignDevice, '198.51.100.77')
    await harness.pool.query('UPDATE outer_addresses SET last_seen_at = $2 WHERE address = $1', [address, daysAgo(31)])
    await seenAt(deviceId, address)
    await write(attempt())
    expect(await list()).toHaveLength(1)
    await harness.pool.query(
      'UPDATE outer_addresses SET last_seen_at = $2 WHERE address = $1 AND organization_id = $3',
      [address, daysAgo(29), harness.other.id],
    )
    expect(await list()).toEqual([])
  })

  it('that name a device that does not exist belong to nobody', async () => {
    await seenAt(deviceId, address)
    await write(attempt({ deviceId: newId('dev') }))
    expect(await list()).toEqual([])
  })

  it('from an address that is none do not spoil the batch', async () => {
    await write(attempt({ deviceId, sourceAddress: 'fe80::1%eth0' }), attempt({ deviceId, detail: 'good' }))
    expect((await list()).map(({ detail }) => detail)).toEqual(['good'])
  })
})

it('attempts of another organization answer 404', async () => {
  await write(attempt({ deviceId }))
  const answer = await harness.call('GET', `/v1/devices/${deviceId}/attempts`, { key: harness.other.key })
  expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } })
})
