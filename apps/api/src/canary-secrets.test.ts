import { createLogger } from '@culvert/observability'
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import {
  newConcentrator,
  newDevice,
  newGateway,
  openHarness,
  setAttached,
  type Answer,
  type CallOptions,
  type FakeGateway,
  type Harness,
} from './testing/harness.ts'

let harness: Harness
let gateway: FakeGateway
let logs = ''
/** Every answer but those that may show a secret: the one that made it, and the repetition of the same request. */
let answers = ''
/** Secrets of this run, by what they are. */
const canaries = new Map<string, string>()

beforeAll(async () => {
  const logger = createLogger('api', 'trace', { write: (line: string) => void (logs += line) })
  harness = await openHarness(inject('databaseUrl'), { logger })
  await newConcentrator(harness.pool, 'con-1', 1)
  gateway = await newGateway(harness, 'gw-1')
  await useEverything()
})
afterAll(async () => {
  await gateway.close()
  await harness.close()
})

async function call<T = Record<string, unknown>>(
  method: string,
  url: string,
  options: CallOptions = {},
): Promise<Answer<T>> {
  const answer = await harness.call<T>(method, url, options)
  answers += answer.text + JSON.stringify(answer.headers)
  return answer
}

/** @returns what was shown, which is kept as a canary */
async function issue(
  name: string,
  url: string,
  body: object,
  secretOf: (shown: Record<string, string>) => string | undefined,
): Promise<void> {
  const options = { body, headers: { 'idempotency-key': `"${randomBytes(12).toString('hex')}"` } }
  const first = await harness.call<Record<string, string>>('POST', url, options)
  expect([name, first.status]).toEqual([name, 201])
  const secret = secretOf(first.body)
  if (secret === undefined) throw new Error(`${name} is not in its answer`)
  canaries.set(name, secret)
  await harness.call('POST', url, options)
}

async function useEverything(): Promise<void> {
  canaries.set('API key of the caller', harness.organization.key.slice(-36))
  const deviceId = await newDevice(harness.call)
  const device = `/v1/devices/${deviceId}`
  const own = `canary-${randomBytes(24).toString('hex')}`
  await issue('psk of the customer', `${device}/credentials`, { psk: own }, () => own)
  await issue('psk', `${device}/credentials`, {}, ({ psk }) => psk)
  await issue('EAP password', `${device}/credentials`, { kind: 'eap' }, ({ password }) => password)
  await issue('PPK', `${device}/credentials`, { kind: 'ppk' }, ({ ppk }) => ppk)
  await issue('made API key', '/v1/api-keys', { name: 'made', scopes: ['devices:read'] }, ({ key }) => key?.slice(-36))
  const links = `/v1/devices/${await newDevice(harness.call)}/config-links`
  await issue('token of a link', links, { target: 'swanctl', issue: ['psk'] }, ({ url }) => url?.split('/').at(-1))
  await setAttached(harness.pool, 'con-1', deviceId, 'attached')
  await call('POST', '/v1/tunnels', { body: { deviceId, port: 22 } })
  // Refused in every way: what was sent must not come back or be written down.
  const refused = `canary-${randomBytes(24).toString('hex')}`
  canaries.set('refused psk', refused)
  const credentials = `${device}/credentials`
  await call('POST', credentials, { body: { psk: refused } })
  await call('POST', credentials, { body: { psk: `${refused} \u0000` } })
  await call('POST', credentials, { body: { kind: 'eap', psk: refused } })
  await call('POST', credentials, { body: { [refused]: true } }).catch(() => undefined)
  await call('POST', credentials, { raw: `{"psk":"${refused}"`, headers: { 'content-type': 'application/json' } })
  await call('POST', credentials, { raw: refused, headers: { 'content-type': 'text/plain' } })
  await call('GET', '/v1/devices', { key: `culvert_${'a'.repeat(16)}_${refused}` })
  await call('GET', '/v1/devices', { key: null, headers: { authorization: `Basic ${refused}` } })
  for (const url of [
    '/v1/devices',
    device,
    `${device}/credentials`,
    `${device}/config?target=swanctl`,
    `${device}/attachment`,
    `${device}/attempts`,
    '/v1/api-keys',
    '/v1/audit-log',
    '/v1/tunnels',
    '/v1/organization',
    '/v1/networks',
    '/v1/me',
  ])
    await call('GET', url)
  await call('DELETE', device)
}

/** As it is, and as a column of octets, JSON or a header would show it. */
function formsOf(secret: string): string[] {
  const octets = Buffer.from(secret)
  return [secret, octets.toString('hex'), octets.toString('base64').replace(/=+$/, ''), octets.toString('base64url')]
}

function found(text: string): string[] {
  const lower = text.toLowerCase()
  return [...canaries].flatMap(([name, secret]) =>
    formsOf(secret).some((form) => text.includes(form) || (/^[0-9a-f]+$/.test(form) && lower.includes(form)))
      ? [name]
      : [],
  )
}

describe('A10 secrets', () => {
  it('are as many as there are ways to make one, and are found where they are', () => {
    expect(canaries.size).toBe(8)
    for (const [name, secret] of canaries)
      for (const form of formsOf(secret)) expect(found(`x${form}y`)).toEqual([name])
  })

  it('stand in no line of the log', () => {
    expect(logs.split('\n').length).toBeGreaterThan(5)
    expect(found(logs)).toEqual([])
  })

  it('stand in no answer but the one that made them', () => {
    expect(answers.length).toBeGreaterThan(5_000)
    // A field that nobody knows is named in the problem that refuses it.
    expect(found(answers.replaceAll(canaries.get('refused psk') ?? '', ''))).toEqual([])
  })

  it('stand in no table and no job, as text or octets; what is sealed cannot be recognized', async () => {
    const { rows: tables } = await harness.pool.query<{ name: string }>(
      `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind IN ('r', 'p') AND n.nspname IN ('public', 'bullmq')`,
    )
    expect(tables.length).toBeGreaterThan(30)
    let sealed = 0
    for (const { name } of tables) {
      const { rows } = await harness.pool.query<{ row: string }>(`SELECT t::text AS row FROM ${name} t`)
      if (name === 'public.credentials') sealed = rows.length
      expect([name, found(rows.map(({ row }) => row).join('\n'))]).toEqual([name, []])
    }
    expect(sealed).toBeGreaterThanOrEqual(4)
  })
})
