import type { AttachmentRecord } from '@culvert/concentrator-core'
import type { AttachmentKey, Command } from '@culvert/ikev2'
import { createLogger } from '@culvert/observability'
import { expect, it } from 'vitest'
import { createRedirector } from './redirector.ts'

function open(devices: number) {
  const scene = {
    to: null as string | null,
    nowMs: 0,
    keys: Array.from({ length: devices }, (_, index) => index as AttachmentKey),
    heard: [] as Command[],
    reads: 0,
  }
  const redirector = createRedirector({
    read: async () => {
      scene.reads++
      return scene.to
    },
    registry: { attached: () => scene.keys.map((key) => ({ key }) as AttachmentRecord) },
    command: (command) => void scene.heard.push(command),
    nowMs: () => scene.nowMs,
    log: createLogger('test', 'silent'),
  })
  const pass = async (): Promise<Command[]> => {
    scene.heard = []
    await redirector.reconcile()
    return scene.heard
  }
  return { scene, redirector, pass }
}

const ELSEWHERE = { kind: 'ip4', address: '192.0.2.2' } as const

it('does nothing while devices stay', async () => {
  const { pass } = open(3)
  expect(await pass()).toEqual([])
})

it('sends newcomers elsewhere and each attached device once, a hundred in a second (RFC 5685 3, 5)', async () => {
  const { scene, pass } = open(250)
  scene.to = '192.0.2.2'
  const first = await pass()
  expect(first[0]).toEqual({ kind: 'redirectNewcomers', to: ELSEWHERE })
  expect(first.slice(1)).toEqual(scene.keys.slice(0, 100).map((key) => ({ kind: 'redirect', key, to: ELSEWHERE })))
  expect(await pass()).toEqual([])
  scene.nowMs += 1000
  scene.keys.splice(0, 50) // they have gone
  expect((await pass()).map((command) => 'key' in command && command.key)).toEqual(
    Array.from({ length: 100 }, (_, index) => 100 + index),
  )
  scene.nowMs += 1000
  expect(await pass()).toHaveLength(50)
  scene.nowMs += 1000
  expect(await pass()).toEqual([])
  scene.keys.push(1000 as AttachmentKey) // does not listen to redirects in IKE_SA_INIT
  scene.nowMs += 1000
  expect(await pass()).toEqual([{ kind: 'redirect', key: 1000, to: ELSEWHERE }])
})

it('lets devices stay again, and sends all of them to another gateway that is named later', async () => {
  const { scene, pass } = open(2)
  scene.to = '2001:db8::2'
  expect(await pass()).toHaveLength(3)
  scene.to = null
  expect(await pass()).toEqual([{ kind: 'redirectNewcomers', to: null }])
  scene.nowMs += 1000
  scene.to = 'other.example'
  const to = { kind: 'fqdn', name: 'other.example' }
  expect(await pass()).toEqual([
    { kind: 'redirectNewcomers', to },
    { kind: 'redirect', key: 0, to },
    { kind: 'redirect', key: 1, to },
  ])
})

it('looks once when it is told twice, and again after the database was away', async () => {
  const { scene, redirector } = open(0)
  await Promise.all([redirector.reconcile(), redirector.reconcile()])
  expect(scene.reads).toBe(1)
  const failing = createRedirector({
    read: async () => {
      if (scene.reads++ === 1) throw new Error('away')
      return '192.0.2.2'
    },
    registry: { attached: () => [] },
    command: (command) => void scene.heard.push(command),
    nowMs: () => 0,
    log: createLogger('test', 'silent'),
  })
  await expect(failing.reconcile()).rejects.toThrow('away')
  await failing.reconcile()
  expect(scene.heard).toEqual([{ kind: 'redirectNewcomers', to: ELSEWHERE }])
})
