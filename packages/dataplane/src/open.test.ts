import { describe, expect, it } from 'vitest'
import type { DataPlane, DataPlaneHandlers, DataPlaneOptions, Rung } from './contract.ts'
import { NativeEspError } from './native-esp-error.ts'
import { climbDown } from './open.ts'
import { TunError } from './tun/tun-error.ts'

const HANDLERS: DataPlaneHandlers = {
  onIke: () => {},
  onInboundTraffic: () => {},
  onPeerMoved: () => {},
  onSoftLimit: () => {},
  onHardLimit: () => {},
  onFailure: () => {},
}

describe('the ladder of rungs', () => {
  it('takes the native rung when it opens', async () => {
    expect(await climb({})).toEqual(['native'])
  })

  it('takes the portable rung when the native one does not work, and says why', async () => {
    const native = new Error('no koffi here')
    expect(await climb({ native })).toEqual(['native', 'portable: native not used: no koffi here'])
  })

  it('does not try another rung when one was asked for', async () => {
    expect(await climb({ rung: 'portable' })).toEqual(['portable: asked for'])
    const native = new Error('no koffi here')
    await expect(climb({ native, rung: 'native' })).rejects.toBe(native)
  })

  it.each([
    new TunError('not_permitted', 'This process may not open /dev/net/tun.'),
    Object.assign(new Error('bind'), { code: 'EADDRINUSE' }),
  ])('does not try another rung against an error that every rung would meet: $code', async (native) => {
    await expect(climb({ native })).rejects.toBe(native)
  })
})

describe('ESP without UDP, and AH', () => {
  it('is the native rung’s alone: the portable one is refused, asked for or not', async () => {
    const native = new Error('no koffi here')
    await expect(climb({ nativeEsp: true })).resolves.toEqual(['native'])
    await expect(climb({ nativeEsp: true, rung: 'portable' })).rejects.toBeInstanceOf(NativeEspError)
    await expect(climb({ nativeEsp: true, native })).rejects.toThrow(
      'ESP without UDP (IP protocol 50) cannot be had: the native data plane cannot be used: no koffi here.',
    )
    await expect(climb({ ah: true })).resolves.toEqual(['native'])
    await expect(climb({ ah: true, rung: 'portable' })).rejects.toThrow(
      'AH (IP protocol 51) cannot be had: the portable data plane sends in UDP alone.',
    )
    await expect(climb({ ah: true, native })).rejects.toBeInstanceOf(NativeEspError)
  })
})

/** @returns which rungs were opened, in order */
async function climb({
  native,
  rung,
  nativeEsp,
  ah,
}: {
  native?: Error
  rung?: Rung
  nativeEsp?: boolean
  ah?: boolean
}): Promise<string[]> {
  const tried: string[] = []
  const options: DataPlaneOptions = {
    bind: [{ address: '127.0.0.1', port: 0 }],
    tun: { name: 'tun0', namespace: null, mtuBytes: 1400 },
    role: { kind: 'device' },
    incarnation: 1,
    nodeSlot: 1,
    maxSas: 1,
    replayWindowPackets: 64,
    ...(rung && { rung }),
    ...(nativeEsp && { nativeEsp }),
    ...(ah && { ah }),
  }
  const rungs = {
    native: async () => {
      tried.push('native')
      if (native) throw native
      return {} as DataPlane
    },
    portable: async (_options: DataPlaneOptions, _handlers: DataPlaneHandlers, why = 'asked for') => {
      tried.push(`portable: ${why}`)
      return {} as DataPlane
    },
  }
  await climbDown(rungs, options, HANDLERS)
  return tried
}
