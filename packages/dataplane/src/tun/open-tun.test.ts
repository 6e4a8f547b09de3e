import { readlinkSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { openTun } from './open-tun.ts'
import { TunError } from './tun-error.ts'

const FEATURES = { vnetHeader: false }

describe('opening a TUN', () => {
  it.each(['', 'sixteen-letters-', 'a b', 'a/b', 'tun%d', 'täst'])('refuses the name "%s"', (name) => {
    expect(codeOf(() => openTun({ name, namespace: null, mtuBytes: 1400 }, FEATURES))).toBe('bad_name')
  })

  it('names a namespace that does not exist, and stays in its own', () => {
    const before = readlinkSync('/proc/thread-self/ns/net')
    const options = { name: 'tun0', namespace: 'culvert-nowhere', mtuBytes: 1400 }
    expect(codeOf(() => openTun(options, FEATURES))).toBe('no_namespace')
    expect(readlinkSync('/proc/thread-self/ns/net')).toBe(before)
  })
})

function codeOf(step: () => unknown): string {
  try {
    step()
    return 'nothing thrown'
  } catch (error) {
    return error instanceof TunError ? error.code : `${error}`
  }
}
