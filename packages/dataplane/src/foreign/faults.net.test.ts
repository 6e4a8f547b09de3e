/**
 * With a fault in foreign calls a data plane opens all the same, on the portable rung, and says why; the doctor says it too.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { DataPlaneHandlers, DataPlaneOptions } from '../contract.ts'
import type { Surroundings } from './surroundings.ts'
import { HERE, koffiLying, koffiWithout } from './testing/fake-koffi.ts'

const HANDLERS: DataPlaneHandlers = {
  onIke: () => {},
  onInboundTraffic: () => {},
  onPeerMoved: () => {},
  onSoftLimit: () => {},
  onHardLimit: () => {},
  onFailure: () => {},
}

const namespace = `cvff-${process.pid}`
const options: DataPlaneOptions = {
  bind: [{ address: '127.0.0.1', port: 0 }],
  tun: { name: 'culvert0', namespace, mtuBytes: 1400 },
  role: { kind: 'device' },
  incarnation: 1,
  nodeSlot: 1,
  maxSas: 4,
  replayWindowPackets: 64,
}

async function inside(surroundings: Partial<Surroundings>): Promise<typeof import('../index.ts')> {
  vi.resetModules()
  vi.doMock('./surroundings.ts', () => ({
    surroundings: { ...HERE, loadKoffi: () => koffiWithout(''), ...surroundings },
  }))
  return import('../index.ts')
}

beforeAll(async () => {
  const { ensureNamespace } = await import('../index.ts')
  await ensureNamespace(namespace)
})
afterEach(() => {
  vi.doUnmock('./surroundings.ts')
})
afterAll(async () => {
  const { removeNamespace } = await import('../index.ts')
  await removeNamespace(namespace)
})

describe('a fault in foreign calls', () => {
  it.each<[string, Partial<Surroundings>, string, string]>([
    [
      'a function that is missing',
      { loadKoffi: () => koffiWithout('recvmmsg') },
      'no function recvmmsg',
      'system-calls',
    ],
    [
      'a wrong answer of the kernel',
      { loadKoffi: () => koffiLying('sendmsg', () => 1) },
      'sendmsg gives a wrong answer',
      'system-calls',
    ],
    [
      'a wrong answer of OpenSSL',
      { loadKoffi: () => koffiLying('EVP_DecryptFinal_ex', () => 1) },
      'fails its known answer',
      'openssl',
    ],
    [
      'a function of OpenSSL that is missing',
      { loadKoffi: () => koffiWithout('EVP_Cipher') },
      'no function EVP_Cipher',
      'openssl',
    ],
    [
      'a platform that it was not built for',
      { arch: 'riscv64' },
      'no native data plane on linux riscv64',
      'system-calls',
    ],
  ])('%s: the portable rung opens and says why', async (_what, surroundings, reason, finding) => {
    const { openDataPlane, examine } = await inside(surroundings)
    const plane = await openDataPlane(options, HANDLERS)
    await plane.close()
    expect(plane.rung).toBe('portable')
    expect(plane.description).toContain(reason)
    const { rung, findings } = await examine()
    expect(rung).toBe('portable')
    const found = findings.find(({ name }) => name === finding)
    expect(found).toMatchObject({ state: 'missing', detail: expect.stringContaining(reason) })
  })

  it('where no memory may be run, OpenSSL is called function by function on the native rung', async () => {
    const { openDataPlane, examine } = await inside({ loadKoffi: () => koffiLying('mprotect', () => -1) })
    const plane = await openDataPlane(options, HANDLERS)
    await plane.close()
    expect(plane.rung).toBe('native')
    expect(plane.description).toContain('call by call')
    const { rung, findings } = await examine()
    expect(rung).toBe('native')
    expect(findings.find(({ name }) => name === 'call-lists')).toEqual({
      name: 'call-lists',
      state: 'missing',
      detail:
        'OpenSSL is called several times for a packet, for a tenth more CPU (memory may not be made executable here).',
      remedy: expect.stringMatching(/x64.*execmem.*nothing else/),
    })
  })

  it('where koffi does not load there is no TUN, and both say so', async () => {
    const { openDataPlane, examine } = await inside({
      loadKoffi: () => {
        throw new Error('there is no such module')
      },
    })
    await expect(openDataPlane(options, HANDLERS)).rejects.toMatchObject({
      name: 'TunError',
      code: 'no_native_calls',
      message: expect.stringContaining('koffi does not load here'),
    })
    const { rung, findings } = await examine()
    expect(rung).toBeNull()
    expect(findings.find(({ name }) => name === 'tun')).toMatchObject({
      state: 'broken',
      detail: expect.stringContaining('koffi does not load here'),
    })
  })

  it('none: the native rung opens', async () => {
    const { openDataPlane } = await inside({})
    const plane = await openDataPlane(options, HANDLERS)
    await plane.close()
    expect(plane.rung).toBe('native')
  })
})
