/**
 * What the doctor finds where everything is allowed, and where the process has lost its capabilities.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { examine } from './doctor.ts'
import type { Finding } from './findings.ts'

describe('the doctor', () => {
  it('finds what the tests of the native rung use, and says so in sentences', async () => {
    const { rung, findings } = await examine()
    expect(rung).toBe('native')
    const states = Object.fromEntries(findings.map(({ name, state }) => [name, state]))
    expect(states).toMatchObject({
      platform: 'used',
      openssl: 'used',
      'call-lists': process.arch === 'x64' ? 'used' : 'missing',
      tun: 'used',
      'udp-batches': 'used',
      'udp-segment': 'used',
      'udp-gro': 'used',
      'reuseport-bpf': 'used',
      'tun-lanes': 'used',
      'path-mtu': 'used',
      ipv6: 'used',
    })
    for (const { detail } of findings) expect(detail).toMatch(/^[A-Zl].*\.$/u)
  })

  it('leaves no interface behind', async () => {
    await examine()
    expect(execFileSync('ip', ['link'], { encoding: 'utf8' })).not.toContain('culvertdr')
  })

  it('without capabilities names what is missing and what to do', () => {
    const program = new URL('../../../apps/concentrator/src/doctor.ts', import.meta.url).pathname
    const words = ['--bounding-set=-all', '--inh-caps=-all', '--', process.execPath, '--conditions=source', program]
    const { status, stdout } = spawnSync('setpriv', [...words, '--json'], { encoding: 'utf8' })
    expect(status).toBe(1)
    const { rung, findings } = JSON.parse(stdout) as { rung: string | null; findings: Finding[] }
    expect(rung).toBeNull()
    const find = (name: string): Finding | undefined => findings.find((finding) => finding.name === name)
    expect(find('tun')).toMatchObject({ state: 'broken', remedy: expect.stringContaining('CAP_NET_ADMIN') })
    expect(find('path-mtu')).toMatchObject({ state: 'missing', remedy: expect.stringContaining('CAP_NET_RAW') })
    expect(find('udp-segment')?.state).toBe('used')
  })
})
