/**
 * What the feed tells of two devices that live with strongSwan: one that comes, goes, moves, loses its credential and its concentrator,
 * and one that falls silent meanwhile. Every event of theirs is there, in order, with its cause, and nothing else.
 */
import { createLab, waitFor, type Strongswan } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createClosings, type Closings } from '../../support/closings.ts'
import {
  nextCredential,
  readAttachment,
  registerDevice,
  startStrongswanDevice,
  waitAttached,
  type RegisteredDevice,
} from '../../support/fleet.ts'
import { startInstallation, type Installation } from '../../support/installation.ts'
import { skipNote, swanMissing } from '../../support/missing.ts'
import { childSpi, ikeSpi } from '../../support/swan-scene.ts'

interface FeedEvent {
  readonly id: string
  readonly type: string
  readonly resourceId: string
  readonly sequence: number
  readonly data: Readonly<Record<string, unknown>>
}

interface FeedPage {
  readonly data: readonly FeedEvent[]
  readonly nextCursor: string
  readonly hasMore: boolean
}

const FIRST_ADDRESS = '192.0.2.12'
const SECOND_ADDRESS = '192.0.2.13'
const SILENT_ADDRESS = '192.0.2.14'
/** 4 s, then 1.8 times longer, five times: 165 s until a silent device counts as gone, and room for a slow machine. */
const SILENCE_MS = 240_000
const STEP_MS = 60_000

describe.skipIf(swanMissing)(`the feed of a device's life${skipNote}`, () => {
  const closings: Closings = createClosings()
  let culvert: Installation
  let router: RegisteredDevice
  let silent: RegisteredDevice
  let start: (device: RegisteredDevice, place: 'first' | 'second' | 'silent', name: string) => Promise<Strongswan>
  let swan: Strongswan
  let names: { ike: string; child: string }

  beforeAll(async () => {
    const lab = await createLab()
    closings.add(() => lab.close())
    culvert = await startInstallation({
      lab,
      serverUrl: inject('databaseUrl'),
      redisUrl: inject('redisUrl'),
      env: { CONCENTRATOR_LIVENESS_SEC: '2', OFFLINE_AFTER_SEC: '1' },
    })
    closings.add(() => culvert.stop())
    const hosts = {
      first: await lab.addHost('life1', `${FIRST_ADDRESS}/24`),
      second: await lab.addHost('life2', `${SECOND_ADDRESS}/24`),
      silent: await lab.addHost('life3', `${SILENT_ADDRESS}/24`),
    }
    start = async (device, place, name) => {
      const conf = device.swanctlConf.replace(/dpd_delay *= *\S+/, 'dpd_delay = 3s')
      const charon = { retransmitTimeoutSec: 0.5, retransmitTries: 6, charon: 'delete_rekeyed_delay = 1' }
      const started = await startStrongswanDevice({ ...device, swanctlConf: conf }, hosts[place], name, charon)
      closings.add(() => started.kill())
      return started
    }
    router = await registerDevice(culvert.acme, 'router')
    silent = await registerDevice(culvert.acme, 'silent')
    const dying = await start(silent, 'silent', 'silent1')
    await waitAttached(culvert.acme, silent.id)
    await dying.kill()
    swan = await start(router, 'first', 'router1')
    await waitAttached(culvert.acme, router.id)
    const [ike] = await swan.listSas()
    names = { ike: ike?.name ?? '', child: ike?.children[0]?.name ?? '' }
  })
  afterAll(() => closings.close())

  it('rekeys, says DELETE and comes again', async () => {
    const before = await swan.listSas()
    await swan.rekey({ child: names.child })
    await waitFor(async () => childSpi(await swan.listSas()) !== childSpi(before), { message: 'another Child SA' })
    await until(router, 'sa.rekeyed')
    await swan.rekey({ ike: names.ike })
    await waitFor(async () => ikeSpi(await swan.listSas()) !== ikeSpi(before), { message: 'another IKE SA' })
    await until(router, 'sa.rekeyed', 2)
    await swan.terminate({ ike: names.ike })
    await until(router, 'device.offline')
    await swan.initiate({ child: names.child })
    expect(await until(router, 'device.online', 2)).toBe(2)
  })

  it('attaches from another address in place of an attachment that nobody ended, and from the same one', async () => {
    await swan.kill()
    swan = await start(router, 'second', 'router2')
    await until(router, 'device.moved')
    expect(swan.log()).toMatch(/IKE_AUTH request 1 \[.*N\(INIT_CONTACT\)/)
    const { epoch } = await readAttachment(culvert.acme, router.id)
    await swan.kill()
    swan = await start(router, 'second', 'router3')
    await waitFor(async () => (await readAttachment(culvert.acme, router.id)).epoch > epoch, {
      timeoutMs: STEP_MS,
      message: 'an attachment in place of the one before',
    })
    expect(await readAttachment(culvert.acme, router.id)).toMatchObject({ state: 'attached' })
  })

  it('loses its credential and gets another one', async () => {
    const route = `/v1/devices/${router.id}/credentials/${router.credentialId}`
    expect((await culvert.acme('DELETE', route)).status).toBeLessThan(300)
    await until(router, 'device.offline', 2)
    // charon comes again by itself, with what it has.
    await until(router, 'device.attempt_failed')
    await swan.kill()
    router = await nextCredential(culvert.acme, router)
    swan = await start(router, 'second', 'router4')
    await until(router, 'device.online', 3)
  })

  it(
    'loses its concentrator, which is killed and comes back, as does the one that fell silent before',
    async () => {
      await until(silent, 'device.offline', 1, SILENCE_MS)
      await start(silent, 'silent', 'silent2')
      await until(silent, 'device.online', 2)
      await culvert.process('concentrator').stop('SIGKILL')
      await until(router, 'device.offline', 3)
      await until(silent, 'device.offline', 2)
      await culvert.restart('concentrator')
      await until(router, 'device.online', 4)
      expect(await until(silent, 'device.online', 3)).toBe(3)
    },
    SILENCE_MS + 4 * STEP_MS,
  )

  it('is deleted, and all of it was told: in order, with causes, without gap', async () => {
    expect((await culvert.acme('DELETE', `/v1/devices/${router.id}`)).status).toBeLessThan(300)
    await until(router, 'device.offline', 4)
    const events = await feed('limit=200')

    const first = { concentratorId: 'con-1', address: router.address4, remoteAddress: FIRST_ADDRESS }
    const second = { ...first, remoteAddress: SECOND_ADDRESS }
    expect(storyOf(events, router.id).filter(([type]) => type !== 'device.attempt_failed')).toMatchObject([
      ['device.created', {}],
      ['device.online', first],
      ['sa.rekeyed', { kind: 'child', count: 1, concentratorId: 'con-1' }],
      ['sa.rekeyed', { kind: 'ike', count: 1, concentratorId: 'con-1' }],
      ['device.offline', { ...first, cause: 'delete' }],
      ['device.online', first],
      ['device.moved', { ...second, formerRemoteAddress: FIRST_ADDRESS, formerConcentratorId: 'con-1' }],
      ['device.offline', { ...second, cause: 'revoked' }],
      ['device.online', second],
      ['device.offline', { ...second, cause: 'node_lost' }],
      ['device.online', second],
      ['device.deleted', {}],
      ['device.offline', { ...second, cause: 'revoked' }],
    ])
    const other = { concentratorId: 'con-1', address: silent.address4, remoteAddress: SILENT_ADDRESS }
    expect(storyOf(events, silent.id)).toMatchObject([
      ['device.created', {}],
      ['device.online', other],
      ['device.offline', { ...other, cause: 'liveness' }],
      ['device.online', other],
      ['device.offline', { ...other, cause: 'node_lost' }],
      ['device.online', other],
    ])

    const credentials = events.filter(({ type }) => type.startsWith('credential.'))
    const [former = '', ...fresh] = new Set(
      credentials.filter(({ data }) => data['deviceId'] === router.id).map(({ resourceId }) => resourceId),
    )
    expect(fresh).toEqual([router.credentialId])
    expect(storyOf(events, former)).toMatchObject([
      ['credential.created', { deviceId: router.id, kind: 'psk' }],
      ['credential.revoked', { deviceId: router.id }],
    ])
    expect(storyOf(events, router.credentialId)).toMatchObject([
      ['credential.created', { deviceId: router.id, kind: 'psk' }],
      ['credential.rotated', { deviceId: router.id, formerCredentialId: former }],
      ['credential.revoked', { deviceId: router.id }],
    ])
    expect(storyOf(events, silent.credentialId)).toMatchObject([['credential.created', { deviceId: silent.id }]])
    expect(storyOf(events, culvert.organizationIds.acme)).toMatchObject([
      ['concentrator.lost', { concentratorId: 'con-1', devices: 2 }],
      ['concentrator.online', { concentratorId: 'con-1', devices: 2 }],
    ])
    const attempts = storyOf(events, router.id).filter(([type]) => type === 'device.attempt_failed')
    expect(attempts[0]?.[1]).toMatchObject({ reason: 'no_credential', isProven: false, concentratorId: 'con-1' })

    for (const [resource, told] of Map.groupBy(events, ({ resourceId }) => resourceId))
      expect([resource, told.map(({ sequence }) => sequence)]).toEqual([resource, told.map((_, index) => index + 1)])
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
    // The same in small pages, and of a device alone.
    expect((await feed('limit=3')).slice(0, events.length)).toEqual(events)
    expect((await feed(`limit=3&resourceId=${silent.id}`)).map(({ id }) => id)).toEqual(
      events.filter(({ resourceId }) => resourceId === silent.id).map(({ id }) => id),
    )
  })

  /** Everything that is kept. */
  async function feed(query: string): Promise<FeedEvent[]> {
    const events: FeedEvent[] = []
    for (let after = ''; ;) {
      const { status, body, text } = await culvert.acme<FeedPage>('GET', `/v1/events?${query}${after}`)
      if (status !== 200) throw new Error(`the feed: ${status} ${text}`)
      events.push(...body.data)
      if (!body.hasMore) return events
      after = `&after=${body.nextCursor}`
    }
  }

  /** Waits until the feed has so many events of a type about a device. @returns how many it has */
  function until({ id }: RegisteredDevice, type: string, count = 1, timeoutMs = STEP_MS): Promise<number> {
    return waitFor(
      async () => {
        const { length } = await feed(`limit=200&resourceId=${id}&types=${type}`)
        return length >= count ? length : null
      },
      { timeoutMs, intervalMs: 200, message: `${type} number ${count} of ${id}` },
    )
  }
})

function storyOf(events: readonly FeedEvent[], resource: string): [string, Readonly<Record<string, unknown>>][] {
  return events.filter(({ resourceId }) => resourceId === resource).map(({ type, data }) => [type, data])
}
