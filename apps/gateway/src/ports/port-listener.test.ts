import { waitFor } from '@culvert/testkit'
import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import type { DialOutcome } from '../dial/contract.ts'
import { ConnectionLimits } from '../flow/connection-limits.ts'
import { ConnectionRecorder } from '../flow/connection-recorder.ts'
import { RefusalBudget } from '../flow/refusal-budget.ts'
import { Client, playDevice, silent } from '../testing/world.ts'
import { PortListener, type PortRules } from './port-listener.ts'

const rules: PortRules = {
  portId: 'prt_a',
  tunnelId: 'tun_a',
  organizationId: 'org_a',
  deviceHost: null,
  devicePort: 22,
  allowFrom: ['127.0.0.0/8'],
  limits: { maxBytes: null, rateLimit: null },
  usedBytes: 0,
  route: { namespace: '', dialAddress: '', deviceAddress: '10.128.0.2', hosts: {} },
}

test('a client that is no longer allowed when its device answers is reset, and hears nothing of the device', async () => {
  const heard: string[] = []
  const device = await playDevice((socket) => {
    socket.on('data', (bytes) => heard.push(bytes.toString()))
    socket.write('banner')
  })
  const reasons: (string | null)[] = []
  const limits = new ConnectionLimits({ perTunnel: 1, total: 1 })
  const dialed: ((outcome: DialOutcome) => void)[] = []
  const listener = new PortListener(rules, {
    limits,
    recorder: new ConnectionRecorder({
      write: async (rows) => void reasons.push(...rows.map((row) => row.reason)),
      budget: new RefusalBudget({ perPort: 10, total: 10 }),
      maxRows: 10,
      log: silent,
    }),
    dialer: {
      dial: () => new Promise((resolve) => dialed.push(resolve)),
      prepare: () => undefined,
      stop: () => undefined,
    },
  })
  await listener.listen('127.0.0.1', 0)
  const client = new Client(listener.port)
  client.socket.write('secret')
  await waitFor(() => dialed.length === 1)

  listener.update({ ...rules, allowFrom: ['192.0.2.0/24'] })
  const socket = connect({ port: device.port, host: '127.0.0.1', allowHalfOpen: true })
  socket.pause()
  await once(socket, 'connect')
  dialed[0]?.({ ok: true, socket })
  expect(await client.closed).toMatchObject({ text: '', error: 'ECONNRESET' })
  await waitFor(() => reasons.length > 0)
  expect(reasons).toEqual(['not_allowed'])
  expect(heard).toEqual([])
  expect(limits.total).toBe(0)
  listener.close('tunnel_closed')
  device.server.close()
})

test('dials a host on a LAN no more when Postgres has been silent for long: its address may be another customer’s', async () => {
  let nowMs = 0
  const dialed: string[] = []
  const reasons: (string | null)[] = []
  const lan = {
    ...rules,
    deviceHost: '192.168.1.20',
    route: { ...rules.route!, hosts: { '192.168.1.20': '198.18.0.1' } },
  }
  const listener = new PortListener(lan, {
    limits: new ConnectionLimits({ perTunnel: 9, total: 9 }),
    recorder: new ConnectionRecorder({
      write: async (rows) => void reasons.push(...rows.map((row) => row.reason)),
      budget: new RefusalBudget({ perPort: 10, total: 10 }),
      maxRows: 10,
      log: silent,
    }),
    dialer: {
      dial: ({ host }) => {
        dialed.push(host)
        return Promise.resolve({ ok: false, reason: 'device_unreachable', detail: '' })
      },
      prepare: () => undefined,
      stop: () => undefined,
    },
    nowMs: () => nowMs,
  })
  await listener.listen('127.0.0.1', 0)
  const knock = async (): Promise<void> => {
    await new Client(listener.port).closed
  }
  nowMs = 599_999
  await knock()
  nowMs = 600_000
  await knock()
  listener.update({ ...lan, deviceHost: null })
  nowMs = 1_300_000
  await knock()
  listener.update(lan)
  await knock()
  await waitFor(() => reasons.length === 4)
  expect(dialed).toEqual(['198.18.0.1', '10.128.0.2', '198.18.0.1'])
  expect(reasons).toEqual(['device_unreachable', 'host_not_reachable', 'device_unreachable', 'device_unreachable'])
  listener.close('tunnel_closed')
})
