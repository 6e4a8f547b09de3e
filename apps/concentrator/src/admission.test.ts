/** What a concentrator answers the IKE core, from who may attach to what is granted: the cases share one scene of desks and books, so it is one file. */
import {
  createAttachmentRegistry,
  createCredentialCache,
  createSubjectTable,
  DearProofs,
  selectorOf,
  type AttachmentRegistry,
  type CachedDevice,
  type CredentialCache,
} from '@culvert/concentrator-core'
import {
  toText,
  type Answer,
  type AttachmentKey,
  type IkeEvent,
  type IkeSaSummary,
  type Path,
  type Question,
} from '@culvert/ikev2'
import { NO_USAGE } from '@culvert/lifecycle'
import { createLogger } from '@culvert/observability'
import { expect, it, vi } from 'vitest'
import type { AttachAttempt } from '@culvert/db'
import { createAdmission, type Admission } from './admission.ts'
import { createAttemptLog } from './attempt-log.ts'
import { createPlacements, type Placements } from './placements.ts'
import type { StateWriter } from './state-writer.ts'

const until = (probe: () => void): Promise<void> => vi.waitFor(probe, { timeout: 30_000, interval: 10 })

const path: Path = { local: { address: '192.0.2.1', port: 4500 }, remote: { address: '192.0.2.11', port: 4500 } }
const idI = { type: 2, data: new TextEncoder().encode('a.acme.example') }
const [A, B] = [1 as AttachmentKey, 2 as AttachmentKey]

type ResumeQuestion = Extract<Question, { kind: 'resume' }>

interface Scene {
  readonly admission: Admission
  readonly registry: AttachmentRegistry
  readonly cache: CredentialCache
  readonly ended: [AttachmentKey, string][]
  readonly touched: string[]
  /** Devices that were offered what they may have since. */
  readonly considered: string[]
  /** Lines of level info. */
  readonly lines: object[]
  /** What the desk finds; tests change it. */
  valid: string[]
  reauthenticateAfterSec: number | null
  address6: string | null
  lanPrefixes: string[]
  ppk: { readonly isRequired: boolean } | null
  readonly stored: AttachAttempt[]
  readonly placements: Placements
  limits: CachedDevice['limits']
  /** What the traffic of devices was held to. */
  readonly limited: CachedDevice['limits'][]
}

function open(): Scene {
  const registry = createAttachmentRegistry()
  const cache = createCredentialCache({ entries: 10, freshMs: 1000, staleMs: 1000, unknownMs: 1000 })
  const limited: Scene['limited'] = []
  const placements = createPlacements(createSubjectTable(1), {
    admit: ({ limits }) => void limited.push(limits),
    update: (_deviceId, limits) => void limited.push(limits),
  })
  const ended: Scene['ended'] = []
  const touched: string[] = []
  const considered: string[] = []
  const lines: object[] = []
  const stored: AttachAttempt[] = []
  const log = createLogger('test', 'silent')
  vi.spyOn(log, 'info').mockImplementation((line) => void lines.push(line as object))
  const find = async (): Promise<CachedDevice> => ({
    deviceId: 'dev_a',
    organizationId: 'org_a',
    identity: 'a.acme.example',
    address4: '10.128.0.5',
    address6: scene.address6,
    lanPrefixes: scene.lanPrefixes,
    policyVersion: 1,
    pools: ['10.128.0.0/20', 'fd80::/64'],
    limits: scene.limits,
    tiers: ['modern'],
    dnsServers: ['10.127.0.53', '2001:db8::53'],
    dnsDomains: ['acme.internal'],
    reauthenticateAfterSec: scene.reauthenticateAfterSec,
    credentials: [
      ...scene.valid.map((id) => ({ kind: 'psk' as const, id, secret: Uint8Array.of(1) })),
      ...(scene.ppk
        ? [{ kind: 'ppk' as const, id: 'crd_p', identity: 'x.ppk', ...scene.ppk, secret: Uint8Array.of(2) }]
        : []),
    ],
  })
  const admission = createAdmission({
    desk: { find, findByName: find },
    realm: { proofs: null, signer: null, otherSigners: [], trust: null, tiers: ['modern'] },
    cache,
    registry,
    placements,
    renewal: { consider: ({ deviceId }) => void considered.push(deviceId) },
    writer: { touch: (deviceId: string) => void touched.push(deviceId) } as unknown as StateWriter,
    attempts: createAttemptLog({ log, store: (attempt) => void stored.push(attempt), tiers: () => ['modern'] }),
    deleteIke: (key, reason) => void ended.push([key, reason]),
    rng: (length) => new Uint8Array(length),
    ikeIdentity: 'con.example',
    servicePrefixes: { ip4: selectorOf('10.127.0.0/24'), ip6: selectorOf('fd7f::/64') },
    hostSelector: selectorOf,
    ticketLifetimeMs: 3_600_000,
    log,
  })
  const scene: Scene = {
    admission,
    registry,
    cache,
    ended,
    touched,
    considered,
    lines,
    stored,
    placements,
    limited,
    limits: { networkId: 'net_a', deviceToDevice: false, rateLimit: null, quota: null, usage: NO_USAGE },
    valid: ['crd_1'],
    lanPrefixes: [],
    reauthenticateAfterSec: null,
    address6: 'fd80::5',
    ppk: null,
  }
  return scene
}

async function admit({ admission }: Scene, key: AttachmentKey): Promise<Answer | null> {
  await admission.answer({ kind: 'credential', idI, idR: null, path, proof: 'psk', certificates: [], eapOnly: false })
  return attachAs({ admission }, key)
}

function attachAs(
  { admission }: Pick<Scene, 'admission'>,
  key: AttachmentKey,
  requested = { ip4: true, ip6: false },
): Promise<Answer | null> {
  return admission.answer({
    kind: 'attach',
    key,
    subject: 'dev_a',
    credential: 'crd_1',
    proof: 'psk',
    requested,
    initialContact: false,
    path,
  })
}

function established(key: AttachmentKey): IkeEvent {
  const ike = { path, spiI: '01', spiR: '02' } as unknown as IkeSaSummary
  return {
    kind: 'established',
    key,
    subject: 'dev_a',
    role: 'responder',
    ike,
    credential: 'crd_1',
    proof: 'psk',
    ip4: '10.128.0.5',
    ip6: null,
  }
}

it('C41 never grants transport mode: devices are reached at their leased addresses, not at outer ones', async () => {
  const answer = await admit(open(), A)
  expect(answer?.kind === 'attach' && answer.grant?.transportMode).toBeFalsy()
  expect(answer).toMatchObject({ kind: 'attach', grant: { ip4: '10.128.0.5' } })
})

it('N26 what was taken for a dear proof is given back when it was good', async () => {
  const proven = vi.spyOn(DearProofs.prototype, 'proven')
  await admit(open(), A)
  expect(proven.mock.calls).toEqual([['crd_1', path.remote.address]])
  proven.mockRestore()
})

it('N26 a device that comes too often, or not with a valid credential, makes no address one where somebody has proven himself', async () => {
  const proven = vi.spyOn(DearProofs.prototype, 'proven')
  const scene = open()
  for (let key = 10; key < 110; key++) await admit(scene, key as AttachmentKey)
  expect(proven.mock.calls.length).toBeLessThan(30)
  proven.mockClear()
  const gone = open()
  gone.valid = []
  expect(await admit(gone, A)).toMatchObject({ grant: null })
  expect(proven).not.toHaveBeenCalled()
  proven.mockRestore()
})

it('names the attachment that a later one replaces', async () => {
  const scene = open()
  await admit(scene, A)
  scene.admission.onEvent(established(A))
  expect(await admit(scene, B)).toMatchObject({ grant: { ip4: '10.128.0.5', replaces: [A] } })
})

it('C36 a device stays attached when an attachment of its own takes the place of another', async () => {
  const scene = open()
  await admit(scene, A)
  scene.admission.onEvent(established(A))
  await admit(scene, B)
  scene.admission.onEvent(established(B))
  scene.admission.onEvent({ kind: 'closed', key: A, subject: 'dev_a', reason: 'superseded' })
  expect(scene.registry.byDevice('dev_a')).toMatchObject({ key: B, state: 'attached', detachReason: null })
})

it('C60 knows where a device is that moves, and whether a NAT is before it there', async () => {
  const scene = open()
  await admit(scene, A)
  scene.admission.onEvent(established(A))
  const remote = { address: '198.51.100.9', port: 40_000 }
  for (const peerBehindNat of [true, false]) {
    scene.admission.onEvent({ kind: 'moved', key: A, remote, peerBehindNat })
    expect(scene.registry.byDevice('dev_a')).toMatchObject({ remote, ike: { peerBehindNat, spiI: '01' } })
  }
  expect(scene.touched).toHaveLength(3)
})

it('ends the older of two attachments that were both admitted before one stood: a revocation would not find it', async () => {
  const scene = open()
  await admit(scene, A)
  expect(await admit(scene, B)).toMatchObject({ grant: { replaces: [] } })
  scene.admission.onEvent(established(A))
  scene.admission.onEvent(established(B))
  expect(scene.ended).toEqual([[A, 'revoked']])
  expect(scene.registry.byDevice('dev_a')).toMatchObject({ key: B, state: 'attached' })
})

it('holds a place for an attachment from its admission until it is closed', async () => {
  const scene = open()
  await admit(scene, A)
  expect(scene.placements.of(A)).toEqual({ subject: 1, addresses: ['10.128.0.5'] })
  scene.admission.onEvent(established(A))
  scene.admission.end(A, 'revoked')
  expect(scene.placements.of(A)).not.toBeNull()
  scene.admission.onEvent({ kind: 'closed', key: A, subject: 'dev_a', reason: 'revoked' })
  expect(scene.placements.of(A)).toBeNull()
})

it('grants nothing to an attachment that was closed while it was looked at', async () => {
  const scene = open()
  await admit(scene, A)
  scene.admission.onEvent({ kind: 'closed', key: A, subject: 'dev_a', reason: 'peerSilent' })
  const late = attachAs(scene, B)
  scene.admission.onEvent({ kind: 'closed', key: B, subject: 'dev_a', reason: 'peerSilent' })
  expect([await late, scene.placements.of(B)]).toEqual([null, null])
})

it('RFC 7296 2.19: grants addresses, resolvers and selectors of the families a device asks for, of both when it asks for none', async () => {
  const cases = [
    [true, false, ['10.128.0.5'], ['10.127.0.0/24'], ['10.127.0.53']],
    [false, true, ['fd80::5'], ['fd7f::/64'], ['2001:db8::53']],
    [true, true, ['10.128.0.5', 'fd80::5'], ['10.127.0.0/24', 'fd7f::/64'], null],
    [false, false, ['10.128.0.5', 'fd80::5'], ['10.127.0.0/24', 'fd7f::/64'], null],
  ] as const
  for (const [ip4, ip6, addresses, local, dns] of cases) {
    const scene = open()
    await admit(scene, A)
    const answer = await attachAs(scene, A, { ip4, ip6 })
    const grant = answer?.kind === 'attach' ? answer.grant : null
    expect([grant?.ip4, grant?.ip6].filter((address) => address !== null)).toEqual(addresses)
    expect(grant?.tsRemote.map(toText)).toEqual(
      addresses.map((address) => (address.includes(':') ? `${address}/128` : `${address}/32`)),
    )
    expect(grant?.tsLocal.map(toText)).toEqual(local)
    expect([...(grant?.dns4 ?? []), ...(grant?.dns6 ?? [])]).toEqual(dns ?? ['10.127.0.53', '2001:db8::53'])
    expect(scene.placements.of(A)?.addresses).toEqual(addresses)
    scene.admission.onEvent(established(A))
    const { address4, address6 } = scene.registry.byKey(A)!
    expect([address4, address6].filter((address) => address !== null)).toEqual(addresses)
  }
})

it('gives nothing of IPv6 to a device whose network has no such pool', async () => {
  const scene = open()
  scene.address6 = null
  await admit(scene, A)
  expect(await attachAs(scene, A, { ip4: true, ip6: true })).toMatchObject({
    grant: { ip4: '10.128.0.5', ip6: null, dns6: [], tsLocal: [{ type: 7 }], tsRemote: [{ type: 7 }] },
  })
  expect(await attachAs(scene, A, { ip4: false, ip6: true })).toMatchObject({ grant: { ip4: null, ip6: null } })
})

it('answers nothing while no place is left', async () => {
  const scene = open()
  scene.placements.hold(B, { deviceId: 'dev_b', addresses: ['10.128.0.6'], limits: scene.limits })
  expect(await admit(scene, A)).toBeNull()
  scene.placements.release(B)
  expect(await admit(scene, A)).toMatchObject({ grant: { ip4: '10.128.0.5' } })
})

it('ends an attachment that it did not grant', () => {
  const scene = open()
  scene.admission.onEvent(established(A))
  expect(scene.ended).toEqual([[A, 'revoked']])
  expect(scene.registry.attachedCount).toBe(0)
})

it('keeps what was granted to an attachment, whatever others ask for meanwhile', async () => {
  const scene = open()
  await admit(scene, A)
  scene.valid = ['crd_2']
  await scene.admission.answer({
    kind: 'credential',
    idI,
    idR: null,
    path,
    proof: 'psk',
    certificates: [],
    eapOnly: false,
  })
  scene.admission.onEvent(established(A))
  expect(scene.registry.byDevice('dev_a')).toMatchObject({ credentialId: 'crd_1' })
})

it('ends an attachment whose credential was revoked between its admission and its beginning', async () => {
  const scene = open()
  await admit(scene, A)
  scene.valid = []
  scene.cache.forgetDevice('dev_a')
  scene.admission.onEvent(established(A))
  await until(() => expect(scene.ended).toEqual([[A, 'revoked']]))
  expect(scene.registry.attachedCount).toBe(0)
})

it('C63 grants the leased address and the registered LANs, and ends an attachment whose LAN was taken meanwhile', async () => {
  const scene = open()
  scene.lanPrefixes = ['192.168.1.0/24', '172.20.0.0/16']
  expect(await admit(scene, A)).toMatchObject({
    grant: { tsRemote: ['10.128.0.5', '192.168.1.0/24', '172.20.0.0/16'].map(selectorOf) },
  })
  scene.lanPrefixes = ['172.20.0.0/16']
  scene.cache.forgetDevice('dev_a')
  scene.admission.onEvent(established(A))
  expect(scene.registry.byDevice('dev_a')).toMatchObject({ lanPrefixes: ['192.168.1.0/24', '172.20.0.0/16'] })
  await until(() => expect(scene.ended).toEqual([[A, 'revoked']]))
})

it('keeps an attachment of whose device something else changed meanwhile, and holds it to what is said now', async () => {
  const scene = open()
  await admit(scene, A)
  scene.valid = ['crd_1', 'crd_2']
  scene.limits = { ...scene.limits, quota: { bytes: 1000, period: 'day' } }
  scene.cache.forgetDevice('dev_a')
  scene.admission.onEvent(established(A))
  await new Promise((done) => setImmediate(done))
  expect(scene.ended).toEqual([])
  expect(scene.registry.attachedCount).toBe(1)
  expect(scene.limited.at(-1)).toBe(scene.limits)
  expect(scene.considered).toEqual(['dev_a'])
})

it('counts a revoked device as gone at once, though it never answers the Delete', async () => {
  const scene = open()
  await admit(scene, A)
  scene.admission.onEvent(established(A))
  scene.touched.length = 0
  scene.admission.end(A, 'revoked')
  expect(scene.registry.byDevice('dev_a')).toMatchObject({ state: 'detached', detachReason: 'revoked' })
  expect([scene.ended, scene.touched]).toEqual([[[A, 'revoked']], ['dev_a']])
  scene.admission.onEvent({ kind: 'closed', key: A, subject: 'dev_a', reason: 'revoked' })
  expect(scene.touched).toEqual(['dev_a'])
})

it('lets a device that is asked to leave count as attached until it has left', async () => {
  const scene = open()
  await admit(scene, A)
  scene.admission.onEvent(established(A))
  scene.admission.end(A, 'deletedLocally')
  expect(scene.registry.attachedCount).toBe(1)
  scene.admission.onEvent({ kind: 'closed', key: A, subject: 'dev_a', reason: 'deletedLocally' })
  expect(scene.registry.attachedCount).toBe(0)
})

it('leaves a device that attaches too often without an answer, so that it comes again later', async () => {
  const scene = open()
  const answers = []
  for (let key = 10; key < 35; key++) answers.push(await admit(scene, key as AttachmentKey))
  expect(answers.filter((answer) => answer === null)).toHaveLength(5)
})

it.each([
  ['with a wrong secret', ['crd_1']],
  ['without a valid credential', []],
])('names the device of a failed attempt %s by our id, and nothing that the peer sent', async (_, valid) => {
  const scene = open()
  scene.valid = valid
  await scene.admission.answer({
    kind: 'credential',
    idI,
    idR: null,
    path,
    proof: 'psk',
    certificates: [],
    eapOnly: false,
  })
  const failure = {
    path,
    subject: null,
    stage: 'auth',
    offered: null,
    reason: 'authenticationFailed',
    detail: 'AUTH is wrong',
  } as const
  scene.admission.onEvent({ kind: 'attemptFailed', ...failure, idI })
  const stranger = { type: 2, data: new TextEncoder().encode('b.acme.example') }
  scene.admission.onEvent({ kind: 'attemptFailed', ...failure, idI: stranger })
  expect(scene.lines).toEqual([
    { deviceId: 'dev_a', reason: 'authenticationFailed', detail: 'AUTH is wrong' },
    { reason: 'authenticationFailed', detail: 'AUTH is wrong' },
  ])
})

function resume({ admission }: Scene, ticketId: string, change: Partial<ResumeQuestion> = {}): Promise<Answer | null> {
  const ticket = { ticketId, tier: 'modern', ppkMixed: false } as const
  return admission.answer({ kind: 'resume', idI, subject: 'dev_a', credential: 'crd_1', ...ticket, path, ...change })
}

it('lets a device reach the pools of its network only where devices may reach each other', async () => {
  const scene = open()
  await admit(scene, A)
  const localOf = async (requested: { ip4: boolean; ip6: boolean }): Promise<string[] | undefined> => {
    const answer = await attachAs(scene, A, requested)
    return answer?.kind === 'attach' ? answer.grant?.tsLocal.map(toText) : []
  }
  expect(await localOf({ ip4: true, ip6: true })).toEqual(['10.127.0.0/24', 'fd7f::/64'])
  scene.limits = { ...scene.limits, deviceToDevice: true }
  expect(await localOf({ ip4: true, ip6: false })).toEqual(['10.127.0.0/24', '10.128.0.0/20'])
  expect(await localOf({ ip4: false, ip6: true })).toEqual(['fd7f::/64', 'fd80::/64'])
})

it('grants what the network says: resolvers of both families, their domains, a ticket', async () => {
  const scene = open()
  await admit(scene, A)
  expect(await attachAs(scene, A, { ip4: true, ip6: true })).toMatchObject({
    grant: {
      dns4: ['10.127.0.53'],
      dns6: ['2001:db8::53'],
      dnsDomains: ['acme.internal'],
      authLifetimeMs: null,
      ticketLifetimeMs: 3_600_000,
    },
  })
})

it('RFC 4478 who has to authenticate anew hears when', async () => {
  const scene = open()
  scene.reauthenticateAfterSec = 600
  expect(await admit(scene, A)).toMatchObject({ grant: { authLifetimeMs: 600_000 } })
})

it('RFC 5723 a ticket is good once, and only while its credential is valid', async () => {
  const scene = open()
  expect(await resume(scene, 'ticket-1')).toEqual({ kind: 'resume', isAllowed: true })
  expect(await resume(scene, 'ticket-1')).toEqual({ kind: 'resume', isAllowed: false })
  scene.valid = ['crd_2']
  expect(await resume(scene, 'ticket-2')).toEqual({ kind: 'resume', isAllowed: false })
  scene.valid = ['crd_1']
  expect(await resume(scene, 'ticket-2')).toEqual({ kind: 'resume', isAllowed: true })
})

it('refuses a ticket whose subject is not the device of the identity', async () => {
  expect(await resume(open(), 'ticket', { subject: 'dev_b' })).toEqual({ kind: 'resume', isAllowed: false })
})

it('RFC 5723 a ticket gets nobody around what is asked of its device now: the tier, a PPK', async () => {
  const scene = open()
  expect(await resume(scene, 'ticket-1', { tier: 'compat' })).toEqual({ kind: 'resume', isAllowed: false })
  scene.ppk = { isRequired: false }
  expect(await resume(scene, 'ticket-2')).toEqual({ kind: 'resume', isAllowed: true })
  scene.ppk = { isRequired: true }
  expect(await resume(scene, 'ticket-3')).toEqual({ kind: 'resume', isAllowed: false })
  expect(await resume(scene, 'ticket-3', { ppkMixed: true })).toEqual({ kind: 'resume', isAllowed: true })
})

it('refuses an attachment whose credential was revoked after it was proven', async () => {
  const scene = open()
  const question = { kind: 'credential', idI, idR: null, path, certificates: [], eapOnly: false } as const
  await scene.admission.answer({ ...question, proof: 'psk' })
  scene.valid = []
  expect(await attachAs(scene, A)).toEqual({ kind: 'attach', grant: null, refusal: 'refused' })
})

it('stores that a Child SA was refused to an attached device', async () => {
  const scene = open()
  await admit(scene, A)
  scene.admission.onEvent(established(A))
  scene.admission.onEvent({ kind: 'childRefused', key: A, notify: 38, offered: null })
  expect(scene.stored).toMatchObject([{ deviceId: 'dev_a', isProven: true, stage: 'attach', reason: 'refused' }])
})
