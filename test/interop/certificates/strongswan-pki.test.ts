/**
 * strongSwan's `pki` and our authority: its requests are signed, our certificates and lists verify with it.
 */
import fs from 'node:fs'
import path from 'node:path'
import { fromPem, makeRoot, openAuthority, makeKeyPair, toPem, type Authority, type Result } from '@culvert/pki'
import { createStrongswanPki, type StrongswanPki } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { firstMissing, noteOf } from '../../support/missing.ts'

const missing = await firstMissing('strongswan-pki')
const DAY_MS = 86_400_000
const identity = 'dev-1.fleet.example'

describe.skipIf(missing)(`C30 strongSwan pki${noteOf(missing)}`, () => {
  let pki: StrongswanPki

  beforeAll(async () => {
    pki = await createStrongswanPki()
  })
  afterAll(() => pki?.close())

  it.each([
    ['p256', 'ecdsa', '256'],
    ['p384', 'ed25519', null],
    ['rsa3072', 'rsa', '2048'],
  ] as const)(
    'an authority on %s signs a request on %s; the certificate verifies until it is revoked',
    async (keyKind, type, size) => {
      const atMs = Date.now()
      const ca = await authorityOf(keyKind, atMs)
      write('ca.pem', toPem(ca.certificate, 'CERTIFICATE'))
      const key = await pki.run(['--gen', '--type', type, ...(size ? ['--size', size] : []), '--outform', 'pem'])
      write('device.key', key.stdout)
      const wish = ['--dn', 'CN=whatever', '--san', 'other.fleet.example']
      const request = await pki.run(['--req', '--in', 'device.key', '--type', 'priv', ...wish, '--outform', 'pem'])
      const [der] = fromPem(request.stdout, 'CERTIFICATE REQUEST') ?? []
      const issued = taken(await ca.signDeviceCertificate(der!, { identity, atMs, lifetimeMs: DAY_MS }))
      write('device.pem', toPem(issued.certificate, 'CERTIFICATE'))

      const printed = await pki.run(['--print', '--in', 'device.pem'])
      expect(printed.stdout).toContain(`altNames:  ${identity}`)
      expect(printed.stdout).toContain('clientAuth')
      expect(printed.stdout).not.toContain('other.fleet')
      const keyIds = await Promise.all([keyId('priv', 'device.key'), keyId('x509', 'device.pem')])
      expect(keyIds[0]).toBe(keyIds[1])

      expect(await verify('ca.pem')).toContain('certificate trusted')
      write('stranger.pem', toPem((await authorityOf('p256', atMs)).certificate, 'CERTIFICATE'))
      expect(await verify('stranger.pem')).not.toContain('certificate trusted')

      const options = { number: 1, atMs, lifetimeMs: DAY_MS }
      write('good.crl', toPem(await ca.issueCrl({ ...options, revoked: [] }), 'X509 CRL'))
      const revoked = [{ serial: issued.serial, atMs }]
      write('bad.crl', toPem(await ca.issueCrl({ ...options, number: 2, revoked }), 'X509 CRL'))
      expect(await verify('ca.pem', '--crl', 'good.crl')).toContain('certificate trusted')
      expect(await verify('ca.pem', '--crl', 'bad.crl')).not.toContain('certificate trusted')
    },
  )

  it('a gateway certificate verifies, with its names and its purposes', async () => {
    const atMs = Date.now()
    const ca = await authorityOf('p256', atMs)
    const { publicKey } = await makeKeyPair('rsa2048')
    const names = ['vpn.example', '192.0.2.1', '2001:db8::1']
    const issued = taken(await ca.issueGatewayCertificate({ publicKey, names, atMs, lifetimeMs: DAY_MS }))
    write('ca.pem', toPem(ca.certificate, 'CERTIFICATE'))
    write('device.pem', toPem(issued.certificate, 'CERTIFICATE'))
    expect(await verify('ca.pem')).toContain('certificate trusted')
    const { stdout } = await pki.run(['--print', '--in', 'device.pem'])
    for (const text of [...names, 'serverAuth', 'ikeIntermediate']) expect(stdout).toContain(text)
  })

  function write(name: string, contents: string): void {
    fs.writeFileSync(path.join(pki.folder, name), contents)
  }

  async function verify(authority: string, ...more: readonly string[]): Promise<string> {
    const args = ['--verify', '--in', 'device.pem', '--cacert', authority, ...more]
    const { stdout, stderr } = await pki.run(args, { check: false })
    return stdout + stderr
  }

  async function keyId(type: string, file: string): Promise<string> {
    return (await pki.run(['--keyid', '--type', type, '--id', 'spk', '--in', file])).stdout.trim()
  }
})

async function authorityOf(keyKind: 'p256' | 'p384' | 'rsa3072', atMs: number): Promise<Authority> {
  const root = taken(await makeRoot({ name: 'Culvert devices', keyKind, atMs, lifetimeMs: 365 * DAY_MS }))
  return taken(await openAuthority(root))
}

function taken<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.fault.code)
  return result.value
}
