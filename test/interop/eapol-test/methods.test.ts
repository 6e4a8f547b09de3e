/**
 * The EAP authenticator against wpa_supplicant's peer (`eapol_test`), an implementation of EAP, TLS handshake use and key
 * derivation that shares nothing with ours. Between them stands a little RADIUS on the loopback; the peer compares MSKs itself.
 */
import { X509Certificate, randomBytes } from 'node:crypto'
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  createEapAuthenticator,
  createMschapMethod,
  createTlsMethod,
  type EapMethod,
  type EapStep,
  ntHash,
  type TlsVersion,
} from '@culvert/eap'
import { findPeer } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serveRadius } from './radius.ts'

const SECRET = 'between server and client'
const PASSWORD = 'pässwörd of d1'
const CERTIFICATES = fileURLToPath(new URL('../../vectors/captures/08-eap-tls13/certs/', import.meta.url))
const pem = (name: string): string => fs.readFileSync(path.join(CERTIFICATES, name), 'utf8')
const authority = new X509Certificate(pem('ca.pem'))

const tls = createTlsMethod({
  certificate: { chain: pem('gw.pem'), key: pem('gw.key') },
  authorities: [pem('ca.pem')],
  verifyChain: async ([leaf]) =>
    leaf !== undefined && new X509Certificate(leaf).verify(authority.publicKey) ? { subject: 'd1' } : null,
})
const suspicious = createTlsMethod({
  certificate: { chain: pem('gw.pem'), key: pem('gw.key') },
  verifyChain: async () => null,
})
const mschap = createMschapMethod({
  serverName: 'gw.example',
  secretFor: async (name) => (name === 'd1' ? ntHash(PASSWORD) : null),
})

const { peer, reason } = await findPeer('eapoltest')

describe.skipIf(reason)(`eapol_test${reason === null ? '' : ` (${reason})`}`, () => {
  let folder: string
  beforeAll(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'culvert-eapol-'))
  })
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

  it.each<[string, TlsVersion, number]>([
    ['TLS 1.2', 'TLSv1.2', 1400],
    ['TLS 1.3', 'TLSv1.3', 1400],
    ['TLS 1.2 in small pieces', 'TLSv1.2', 120],
    ['TLS 1.3 in small pieces', 'TLSv1.3', 120],
  ])('EAP-TLS with %s succeeds with the same MSK', async (_, version, fragmentBytes) => {
    const { said, last } = await run([tls], [...tlsSettings(version), `fragment_size=${fragmentBytes}`])
    expect(last, said).toMatchObject({ outcome: 'success', method: 'tls', identity: 'd1' })
    expect(said).toContain(`Using TLS version ${version}`)
    expectSameMsk(said)
  })

  it.each([
    ['EAP-MSCHAPv2', [mschap]],
    ['EAP-MSCHAPv2 after a Nak', [tls, mschap]],
  ])('%s succeeds with the same MSK', async (_, methods) => {
    const { said, last } = await run(methods, mschapSettings(PASSWORD))
    expect(last, said).toMatchObject({ outcome: 'success', method: 'mschapv2', identity: 'd1' })
    expectSameMsk(said)
  })

  it('EAP-TLS after a Nak succeeds', async () => {
    const { said, last } = await run([mschap, tls], tlsSettings('TLSv1.2'))
    expect(last, said).toMatchObject({ outcome: 'success', method: 'tls' })
  })

  it.each<[string, readonly EapMethod[], readonly string[], string]>([
    ['a wrong password', [mschap], mschapSettings('guess'), 'wrongSecret'],
    ['no common method', [tls], mschapSettings(PASSWORD), 'noCommonMethod'],
    ['a certificate that is refused with TLS 1.2', [suspicious], tlsSettings('TLSv1.2'), 'certificateRefused'],
    ['a certificate that is refused with TLS 1.3', [suspicious], tlsSettings('TLSv1.3'), 'certificateRefused'],
  ])('%s fails on both sides', async (_, methods, settings, expected) => {
    const { said, last } = await run(methods, settings)
    expect(last, said).toMatchObject({ outcome: 'failure', reason: expected })
    expect(said).toMatch(/FAILURE\s*$/)
  })

  it('a peer that does not trust our certificate says so with an alert', async () => {
    const foreign = path.join(CERTIFICATES, '../../08-eap-tls12/certs/ca.pem')
    const { said, last } = await run([tls], tlsSettings('TLSv1.2', foreign))
    expect(last, said).toMatchObject({ outcome: 'failure', reason: 'tls' })
    expect(said).toContain('SSL3 alert: write (local SSL3 detected an error):fatal:unknown CA')
    expect(said).toMatch(/FAILURE\s*$/)
  })

  async function run(
    methods: readonly EapMethod[],
    settings: readonly string[],
  ): Promise<{ said: string; last: EapStep }> {
    const server = await serveRadius(SECRET, (identifier) =>
      createEapAuthenticator({
        methods,
        askIdentity: true,
        claimedIdentity: null,
        // the first draw, of one octet, is the identifier
        rng: (length) => (length === 1 ? Uint8Array.of(identifier) : new Uint8Array(randomBytes(length))),
      }),
    )
    const config = path.join(folder, 'network.conf')
    const lines = ['ssid="test"', 'key_mgmt=WPA-EAP', 'eapol_flags=0', 'identity="d1"', ...settings]
    fs.writeFileSync(config, `network={\n${lines.join('\n')}\n}\n`)
    const args = ['-c', config, '-a', '127.0.0.1', '-p', String(server.port), '-s', SECRET, '-t', '20']
    const said = await new Promise<string>((resolve) => {
      execFile('eapol_test', args, { env: peer?.env, timeout: 30_000, maxBuffer: 1 << 24 }, (_error, stdout) =>
        resolve(stdout),
      )
    })
    await server.close()
    const last = server.steps.at(-1)
    if (last === undefined) throw new Error(`eapol_test never asked: ${said.slice(-2000)}`)
    return { said, last }
  }
})

function tlsSettings(version: TlsVersion, trusted = path.join(CERTIFICATES, 'ca.pem')): string[] {
  const [off12, off13] = version === 'TLSv1.2' ? [0, 1] : [1, 0]
  return [
    'eap=TLS',
    `ca_cert="${trusted}"`,
    `client_cert="${CERTIFICATES}d1.pem"`,
    `private_key="${CERTIFICATES}d1.key"`,
    `phase1="tls_disable_tlsv1_0=1 tls_disable_tlsv1_1=1 tls_disable_tlsv1_2=${off12} tls_disable_tlsv1_3=${off13}"`,
  ]
}

function mschapSettings(password: string): string[] {
  return ['eap=MSCHAPV2', `password="${password}"`]
}

/** The peer compares what came as MS-MPPE keys with its own MSK. */
function expectSameMsk(said: string): void {
  expect(said).toMatch(/MPPE keys OK: 1 {2}mismatch: 0/)
  expect(said).toMatch(/SUCCESS\s*$/)
}
