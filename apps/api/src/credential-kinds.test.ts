import {
  createDeviceLookup,
  decideCertificate,
  listen,
  openSecret,
  publishAuthority,
  readPendingCertificates,
  signerChannel,
  type Decision,
  type Listener,
} from '@culvert/db'
import { newCertificateRequest } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import {
  newConcentrator,
  newDevice,
  newGateway,
  openHarness,
  setAttached,
  type FakeGateway,
  type Harness,
} from './testing/harness.ts'

interface Issued {
  readonly id: string
  readonly kind: string
  readonly state: string
  readonly identity: string | null
  readonly ikeIdentity: string
  readonly password?: string
  readonly ppk?: string
  readonly psk?: string
  readonly swanctl?: { placeholder: string; secret: string }
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

const issue = (deviceId: string, body: object) =>
  harness.call<Issued>('POST', `/v1/devices/${deviceId}/credentials?wait=0`, { body })

/** What a concentrator finds, with secrets opened as it opens them. */
async function found(deviceId: string): Promise<Record<string, unknown>[]> {
  const device = await harness.call<{ ikeIdentity: string }>('GET', `/v1/devices/${deviceId}`)
  const known = await createDeviceLookup(harness.pool).find(device.body.ikeIdentity)
  const opened = known?.credentials.map(async (credential) => {
    if (credential.kind === 'certificate') return { ...credential }
    const { sealedSecret, sealingKeyId: _, ...rest } = credential
    const binding = { organizationId: harness.organization.id, deviceId, credentialId: credential.id }
    const secret = openSecret(harness.sealing.privateKey, sealedSecret, binding)
    return { ...rest, secret: Buffer.from(secret ?? []).toString() }
  })
  return Promise.all(opened ?? [])
}

describe('an EAP credential', () => {
  it('is a user name and a password that is shown once and sealed to the concentrators', async () => {
    const deviceId = await newDevice(harness.call)
    const { status, headers, body } = await issue(deviceId, { kind: 'eap' })
    expect([status, headers['cache-control']]).toEqual([201, 'no-store'])
    expect(body).toMatchObject({ kind: 'eap', state: 'active', method: 'mschapv2' })
    expect(body.identity).toMatch(new RegExp(`^[a-z2-7]{8}\\.${body.ikeIdentity}$`))
    expect(Buffer.from(body.password ?? '', 'base64url')).toHaveLength(18)
    expect(body.psk).toBeUndefined()
    expect(await found(deviceId)).toEqual([
      { kind: 'eap', id: body.id, method: 'mschapv2', identity: body.identity, secret: body.password },
    ])
    const listed = await harness.call('GET', `/v1/devices/${deviceId}/credentials`)
    expect(listed.text).not.toContain(body.password)
    expect((await harness.call('GET', `/v1/devices/${deviceId}/credentials/${body.id}`)).text).not.toContain(
      body.password,
    )
  })
})

describe('a PPK', () => {
  it('RFC 8784: is an id and 256 bits shown once, and may be required', async () => {
    const deviceId = await newDevice(harness.call)
    const { status, body } = await issue(deviceId, { kind: 'ppk', required: true })
    expect(status).toBe(201)
    expect(Buffer.from(body.ppk ?? '', 'base64url')).toHaveLength(32)
    expect(await found(deviceId)).toEqual([
      { kind: 'ppk', id: body.id, identity: body.identity, isRequired: true, secret: body.ppk },
    ])
  })

  it('alone lets nobody attach: the tunnels end with the last credential beside it', async () => {
    const deviceId = await newDevice(harness.call)
    const psk = await issue(deviceId, { kind: 'psk' })
    await issue(deviceId, { kind: 'ppk' })
    const tunnel = await harness.call<{ id: string }>('POST', '/v1/tunnels', {
      body: { deviceId, port: 22, waitForDevice: true },
    })
    await harness.call('DELETE', `/v1/devices/${deviceId}/credentials/${psk.body.id}`)
    const { body } = await harness.call('GET', `/v1/tunnels/${tunnel.body.id}`)
    expect(body).toMatchObject({ reason: 'credential_revoked' })
  })
})

describe('rotation', () => {
  it('keeps two credentials of each kind valid at once, the newest first', async () => {
    const deviceId = await newDevice(harness.call)
    const made = []
    for (const kind of ['psk', 'psk', 'eap', 'eap', 'ppk', 'ppk']) made.push((await issue(deviceId, { kind })).body.id)
    for (const kind of ['psk', 'eap', 'ppk']) {
      expect(await issue(deviceId, { kind })).toMatchObject({ status: 409, body: { code: 'credential_limit' } })
    }
    expect((await found(deviceId)).map(({ id }) => id)).toEqual(made.toReversed())
  })

  it('leaves out what is revoked or expired', async () => {
    const deviceId = await newDevice(harness.call)
    const [first, second, third] = [
      await issue(deviceId, {}),
      await issue(deviceId, { kind: 'eap' }),
      await issue(deviceId, {}),
    ]
    await harness.call('DELETE', `/v1/devices/${deviceId}/credentials/${first.body.id}`)
    await harness.pool.query(`UPDATE credentials SET expires_at = now() - interval '1 ms' WHERE id = $1`, [
      second.body.id,
    ])
    expect((await found(deviceId)).map(({ id }) => id)).toEqual([third.body.id])
  })

  it('tells which credential the device is attached with', async () => {
    const deviceId = await newDevice(harness.call)
    const [first, second] = [await issue(deviceId, {}), await issue(deviceId, {})]
    await setAttached(harness.pool, 'con-1', deviceId, 'attached', { credentialId: first.body.id })
    const listed = await harness.call<{ data: object[] }>('GET', `/v1/devices/${deviceId}/credentials`)
    expect(listed.body.data).toMatchObject([
      { id: second.body.id, inUse: false },
      { id: first.body.id, inUse: true },
    ])
    const attachment = await harness.call('GET', `/v1/devices/${deviceId}/attachment`)
    expect(attachment.body).toMatchObject({ credentialId: first.body.id })
  })

  it('never stores the credential of another device as the one that was proven', async () => {
    const [deviceId, other] = [await newDevice(harness.call), await newDevice(harness.call)]
    const foreign = await issue(other, {})
    await setAttached(harness.pool, 'con-1', deviceId, 'attached', { credentialId: foreign.body.id })
    const attachment = await harness.call('GET', `/v1/devices/${deviceId}/attachment`)
    expect(attachment.body).toMatchObject({ state: 'attached', credentialId: null })
  })
})

describe('a certificate request', () => {
  const pem = (label: string, bytes: Uint8Array): string =>
    `-----BEGIN ${label}-----\n${Buffer.from(bytes).toString('base64')}\n-----END ${label}-----\n`
  const sequence = Uint8Array.of(0x30, 3, 2, 1, 0)

  it('waits for the signer, and the credential counts for nothing until then', async () => {
    const deviceId = await newDevice(harness.call)
    const { csr } = newCertificateRequest()
    const { status, headers, body } = await issue(deviceId, { kind: 'certificate', csr })
    expect(status).toBe(202)
    expect(body).toMatchObject({
      kind: 'certificate',
      state: 'pending',
      certificate: { chain: null, serial: null, refusal: null },
    })
    expect(await harness.call('GET', String(headers['location']))).toMatchObject({
      status: 200,
      body: { state: 'pending' },
    })
    expect(await found(deviceId)).toEqual([])
  })

  describe('while a signer runs', () => {
    let decision: Decision
    let waiting: Promise<unknown> = Promise.resolve()
    let listener: Listener
    const decideAll = async (): Promise<void> => {
      for (const pending of await readPendingCertificates(harness.pool, 10))
        await decideCertificate(harness.pool, pending, decision)
    }
    beforeAll(async () => {
      await harness.pool.query(`UPDATE credentials SET revoked_at = now() WHERE issuance = 'pending'`)
      listener = listen(harness.databaseUrl, [signerChannel], () => {
        waiting = waiting.then(decideAll)
      })
      await listener.ready
    })
    afterAll(async () => {
      await listener.close()
      await waiting
    })
    const request = (deviceId: string) =>
      harness.call<Issued>('POST', `/v1/devices/${deviceId}/credentials?wait=30`, {
        body: { kind: 'certificate', csr: newCertificateRequest().csr },
      })

    it('answers with the chain, and the certificate counts', async () => {
      const notAfter = new Date(Date.now() + 86_400_000)
      decision = { kind: 'issued', certificates: 'PEM', serial: '0a', fingerprint: 'ff', notAfter }
      const deviceId = await newDevice(harness.call)
      const { status, body } = await request(deviceId)
      expect(status).toBe(201)
      expect(body).toMatchObject({
        state: 'active',
        certificate: { chain: 'PEM', serial: '0a', fingerprint: 'ff' },
        expiresAt: notAfter.toISOString(),
      })
      expect(await found(deviceId)).toEqual([{ kind: 'certificate', id: body.id, fingerprint: 'ff', authority: null }])
      await harness.call('DELETE', `/v1/devices/${deviceId}/credentials/${body.id}`)
      const { rows } = await harness.pool.query('SELECT serial, not_after FROM revoked_certificates')
      expect(rows).toEqual([{ serial: '0a', not_after: notAfter }])
      expect(await found(deviceId)).toEqual([])
    })

    it('says why the signer refuses, and the refused one does not count', async () => {
      decision = { kind: 'refused', refusal: 'The key is weak' }
      const deviceId = await newDevice(harness.call)
      for (let tries = 0; tries < 3; tries++) {
        const answer = await request(deviceId)
        expect(answer).toMatchObject({ status: 422, body: { code: 'csr_refused' } })
        expect(answer.text).toContain('The key is weak')
      }
      const listed = await harness.call('GET', `/v1/devices/${deviceId}/credentials`)
      expect(listed.body).toMatchObject({
        data: Array(3).fill({ state: 'refused', certificate: { refusal: 'The key is weak' } }),
      })
    })
  })

  it.each([
    ['nothing', 'hello', 'is not one PEM block'],
    ['a certificate', pem('CERTIFICATE', sequence), 'is not a CERTIFICATE REQUEST'],
    ['a private key', pem('PRIVATE KEY', sequence), 'keep it on the device'],
    [
      'two requests',
      pem('CERTIFICATE REQUEST', sequence) + pem('CERTIFICATE REQUEST', sequence),
      'is not one PEM block',
    ],
    ['DER of something else', pem('CERTIFICATE REQUEST', sequence), 'not the DER that it should be'],
    ['too much', pem('CERTIFICATE REQUEST', new Uint8Array(9_000).fill(1)), 'larger than is looked at'],
  ])('that is %s is refused', async (_what, csr, message) => {
    const deviceId = await newDevice(harness.call)
    const answer = await issue(deviceId, { kind: 'certificate', csr })
    expect(answer).toMatchObject({ status: 422, body: { code: 'csr_refused', errors: [{ pointer: '/csr' }] } })
    expect(answer.text).toContain(message)
  })
})

describe('the swanctl configuration', () => {
  const config = async (deviceId: string, query = ''): Promise<string[]> =>
    (await harness.call('GET', `/v1/devices/${deviceId}/config?target=swanctl${query}`)).text
      .split('\n')
      .map((line) => line.trim())

  it('proves itself as the newest credential does, or as it is asked', async () => {
    const deviceId = await newDevice(harness.call)
    expect(await config(deviceId)).toContain('secret = @CULVERT-PSK@')
    const eap = await issue(deviceId, { kind: 'eap' })
    expect(await config(deviceId)).toEqual(
      expect.arrayContaining([
        'auth = eap-mschapv2',
        `eap_id = ${eap.body.identity}`,
        'auth = pubkey',
        'cacerts = culvert-ca.pem',
        `secret = ${eap.body.swanctl?.placeholder}`,
      ]),
    )
    const certificate = await config(deviceId, '&auth=certificate')
    expect(certificate).toEqual(expect.arrayContaining(['auth = pubkey', 'certs = culvert-device.pem']))
    expect(certificate.join('\n')).not.toContain('secrets {')
    expect(await config(deviceId, '&auth=psk')).toContain('auth = psk')
  })

  it('names the PPK and whether it is required', async () => {
    const deviceId = await newDevice(harness.call)
    await issue(deviceId, { kind: 'psk' })
    const ppk = await issue(deviceId, { kind: 'ppk', required: true })
    expect(await config(deviceId)).toEqual(
      expect.arrayContaining([
        `ppk_id = ${ppk.body.identity}`,
        'ppk_required = yes',
        'secret = @CULVERT-PSK@',
        'secret = @CULVERT-PPK@',
      ]),
    )
  })

  it('offers what the tiers of the device allow', async () => {
    const deviceId = await newDevice(harness.call)
    const proposals = async (proposalTiers: string[] | null): Promise<string | undefined> => {
      await harness.call('PATCH', `/v1/devices/${deviceId}`, { body: { proposalTiers } })
      return (await config(deviceId)).find((line) => line.startsWith('proposals'))
    }
    expect(await proposals(null)).toContain('modp2048')
    expect(await proposals(['modern'])).not.toContain('modp2048')
    expect(await proposals(['modern', 'compat'])).not.toContain('sha1')
    expect(await proposals(['compat'])).toContain('sha1')
  })
})

describe('the certificate authority', () => {
  it('is told to everybody once there is one, with its revocation list', async () => {
    const nobody = { key: null }
    for (const url of ['/v1/ca', '/v1/ca/crl'])
      expect(await harness.call('GET', url, nobody)).toMatchObject({ status: 503, body: { code: 'no_authority' } })
    const notAfter = new Date(Date.now() + 86_400_000)
    await publishAuthority(harness.pool, { id: 'a', certificate: 'PEM\n', notAfter })
    const answer = await harness.call('GET', '/v1/ca', nobody)
    expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([
      200,
      'application/x-pem-file',
      'PEM\n',
    ])
    await harness.pool.query(`UPDATE certificate_authorities SET crl = '\\x3000'`)
    const list = await harness.call('GET', '/v1/ca/crl', nobody)
    expect([list.status, list.headers['content-type'], list.text]).toEqual([200, 'application/pkix-crl', '0\0'])
  })
})
