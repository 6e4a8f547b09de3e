/**
 * Our validation against OpenSSL's, chain by chain: valid ones and ones with something wrong. We may refuse more, and where we do it is
 * written down; we never take what OpenSSL refuses. And OpenSSL makes requests that our authority signs.
 */
import { execFile, execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { fromPem, makeRoot, openAuthority, toPem, trustAnchors, validateChain, type Result } from '@culvert/pki'
import { findPeer } from '@culvert/testkit'
import { afterAll, describe, expect, it } from 'vitest'
import { OID } from '../../../packages/pki/src/der/object-identifier.ts'
import { NULL, commonName, objectId, sequence } from '../../../packages/pki/src/testing/der-writer.ts'
import {
  NOW_MS,
  authority,
  authorityKeyIdentifier,
  basicConstraints,
  certificate,
  device,
  directory,
  dns,
  extension,
  ip,
  keyUsage,
  mail,
  nameConstraints,
  subjectAltName,
  testKey,
  type CertificateOptions,
  type Party,
} from '../../../packages/pki/src/testing/forge.ts'
import { noteOf } from '../../support/missing.ts'

const { peer, reason } = await findPeer('openssl')
const run = promisify(execFile)
const DAY_MS = 86_400_000

describe.skipIf(reason)(`C30 N14 OpenSSL${noteOf(reason)}`, () => {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'culvert-openssl-'))
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

  it('says the same of every chain, except where we are stricter on purpose', async () => {
    const differing: string[] = []
    for (const { name, chain, root } of chains()) {
      const ours = isOurs(chain, root)
      const theirs = await isTheirs(chain, root)
      if (ours !== theirs) differing.push(`${name}: ${ours ? 'we alone take it' : 'refused by us alone'}`)
    }
    expect(differing).toEqual(['critical policyConstraints: refused by us alone'])
  })

  it('says the same of chains put together at random', async () => {
    const random = generator(5280)
    const verdicts = new Set<string>()
    for (let round = 0; round < 60; round++) {
      const { chain, root } = randomChain(random)
      const ours = isOurs(chain, root)
      expect(await isTheirs(chain, root), `round ${round}`).toBe(ours)
      verdicts.add(`${ours}`)
    }
    expect([...verdicts].toSorted()).toEqual(['false', 'true'])
  })

  it.each([
    ['EC', ['ec_paramgen_curve:P-256']],
    ['EC', ['ec_paramgen_curve:secp384r1']],
    ['ED25519', []],
    ['RSA', ['rsa_keygen_bits:3072']],
  ])('makes a request on %s %s that is signed, and takes certificate and list', async (algorithm, parameters) => {
    const atMs = Date.now()
    const material = taken(await makeRoot({ name: 'Culvert devices', atMs, lifetimeMs: 9 * DAY_MS }))
    const ca = taken(await openAuthority(material))
    const options = parameters.flatMap((each) => ['-pkeyopt', each])
    openssl('genpkey', '-algorithm', algorithm, ...options, '-out', 'device.key')
    openssl('req', '-new', '-key', 'device.key', '-subj', '/CN=ignored', '-out', 'device.csr')
    const [request] = fromPem(fs.readFileSync(path.join(folder, 'device.csr'), 'utf8'), 'CERTIFICATE REQUEST') ?? []
    const device1 = { identity: 'dev-1.fleet.example', atMs, lifetimeMs: DAY_MS }
    const issued = taken(await ca.signDeviceCertificate(request!, device1))
    write('ca.pem', toPem(ca.certificate, 'CERTIFICATE'))
    write('device.pem', toPem(issued.certificate, 'CERTIFICATE'))
    const strict = ['verify', '-x509_strict', '-purpose', 'sslclient', '-CAfile', 'ca.pem']
    expect(openssl(...strict, 'device.pem')).toContain('OK')
    const revoked = [{ serial: issued.serial, atMs }]
    const list = { number: 1, atMs, lifetimeMs: DAY_MS }
    write('list.pem', toPem(await ca.issueCrl({ ...list, revoked: [] }), 'X509 CRL'))
    const withList = [...strict, '-crl_check', '-CRLfile', 'list.pem', 'device.pem']
    expect(openssl(...withList)).toContain('OK')
    write('list.pem', toPem(await ca.issueCrl({ ...list, revoked }), 'X509 CRL'))
    expect(() => openssl(...withList)).toThrow('revoked')
  })

  function write(name: string, contents: string): void {
    fs.writeFileSync(path.join(folder, name), contents)
  }

  function openssl(...args: readonly string[]): string {
    return execFileSync('openssl', args, {
      cwd: folder,
      env: peer!.env,
      encoding: 'utf8',
      stdio: 'pipe',
      timeout: 30_000,
    })
  }

  async function isTheirs(chain: readonly Party[], root: Party): Promise<boolean> {
    const pem = (parties: readonly Party[]): string => parties.map(({ der }) => toPem(der, 'CERTIFICATE')).join('')
    write('root.pem', pem([root]))
    write('own.pem', pem(chain.slice(0, 1)))
    write('others.pem', pem([...chain.slice(1), root]))
    const time = ['-attime', String(NOW_MS / 1000), '-auth_level', '2', '-purpose', 'sslclient']
    const args = ['verify', ...time, '-CAfile', 'root.pem', '-untrusted', 'others.pem', 'own.pem']
    return run('openssl', args, { cwd: folder, env: peer!.env, timeout: 30_000 }).then(
      () => true,
      () => false,
    )
  }
})

function isOurs(chain: readonly Party[], root: Party): boolean {
  const anchors = trustAnchors([root.der])
  if (!anchors.ok) return false
  const certificates = chain.map(({ der }) => der)
  return validateChain(certificates, { anchors: anchors.value, atMs: NOW_MS, purpose: 'device' }).ok
}

interface NamedChain {
  readonly name: string
  readonly chain: readonly Party[]
  readonly root: Party
}

function chains(): readonly NamedChain[] {
  const root = authority(null, { name: 'Root' })
  const middle = authority(root, { name: 'Middle' })
  const below = (issuer: Party, ...above: Party[]) => [device(issuer), issuer, ...above]
  const made = (options: Parameters<typeof authority>[1]) => below(authority(root, { name: 'M', ...options }))
  const late = { notBeforeMs: NOW_MS + 1000 }
  const early = { notAfterMs: NOW_MS - 1000 }
  const mail4 = extension(OID.extKeyUsage, sequence(objectId('1.3.6.1.5.5.7.3.4')))
  const unknown = extension('1.2.3.4', NULL, true)
  const twin = authority(null, { name: 'Root' })
  const none = authority(root, { name: 'None', pathLength: 0 })
  const trees = (name: Uint8Array) => ({ extensions: [nameConstraints({ permitted: [name] })] })
  const explicit = testKey('p256')
  const of = (name: string, chain: readonly Party[], own = root): NamedChain => ({ name, chain, root: own })
  return [
    of('one certificate', [device(root)]),
    of('two certificates', below(middle)),
    of('any order', [...below(authority(middle, { name: 'Low' })), middle]),
    of('a gap', [device(authority(middle, { name: 'Low' }))]),
    of('a stranger', below(twin)),
    of('a changed signature', [{ ...device(root), der: flipped(device(root).der) }]),
    of('not valid yet', [device(root, late)]),
    of('not valid any more', [device(root, early)]),
    of('an authority not valid yet', made(late)),
    of('an authority not valid any more', made(early)),
    of(
      'a root not valid any more',
      [device(authority(null, { ...early, name: 'Old' }))],
      authority(null, { ...early, name: 'Old' }),
    ),
    of('an issuer that is a device', below(device(root))),
    of(
      'an issuer without keyCertSign',
      below(certificate(root, { name: 'M', extensions: [basicConstraints(true), keyUsage(2)] })),
    ),
    of('a path too long', below(authority(none, { name: 'Low' }), none)),
    of('a path just long enough', below(none)),
    of('SHA-1', [certificate(root, { algorithm: sequence(objectId(OID.ecdsaWithSha1)) })]),
    of('an RSA key of 1024 bits', [device(root, { key: testKey('rsa1024') })]),
    of('an unknown critical extension', [device(root, { extensions: [unknown] })]),
    of('an unknown critical extension above', made({ extensions: [unknown] })),
    of('critical policyConstraints', made({ extensions: [extension('2.5.29.36', sequence(), true)] })),
    of('an extension twice', [
      device(root, { extensions: [extension(OID.extKeyUsage, sequence(objectId(OID.clientAuth)))] }),
    ]),
    of('an authority for mail', made({ extensions: [mail4] })),
    of('a device for mail', [certificate(root, { name: 'Mail', extensions: [mail4] })]),
    of('names inside', made(trees(dns('example')))),
    of('names outside', made(trees(dns('evil')))),
    of('an explicit curve', [certificate(root, { key: { ...explicit, spki: explicitSpki() } })]),
    of('an RSA root', ...rooted(testKey('rsa2048'))),
    of('an Ed25519 root', ...rooted(testKey('ed25519'))),
    of('a P-521 root', ...rooted(testKey('p521'))),
  ]
}

function rooted(key: ReturnType<typeof testKey>): [readonly Party[], Party] {
  const root = authority(null, { name: 'Root', key })
  return [[device(root)], root]
}

function explicitSpki(): Uint8Array {
  const options = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-pkeyopt', 'ec_param_enc:explicit']
  const key = execFileSync('openssl', ['genpkey', ...options], { env: peer!.env, stdio: 'pipe' })
  const spki = execFileSync('openssl', ['pkey', '-pubout', '-outform', 'DER'], {
    env: peer!.env,
    input: key,
    stdio: 'pipe',
  })
  return new Uint8Array(spki)
}

type Random = (below: number) => number

/** Marsaglia's xorshift: the same chains on every run. */
function generator(seed: number): Random {
  let state = seed
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

/** Each rule is broken now and then; about every second chain is good. */
function randomChain(random: Random): { readonly chain: readonly Party[]; readonly root: Party } {
  const seldom = (): boolean => random(12) === 0
  const pick = <T>(...choices: readonly T[]): T => choices[random(choices.length)]!
  const validity = (): CertificateOptions =>
    seldom() ? pick({ notAfterMs: NOW_MS - 1000 }, { notBeforeMs: NOW_MS + 1000 }) : {}
  const trees = (): Uint8Array[] => {
    if (random(3) > 0) return []
    const tree = pick(
      dns('example'),
      dns('fleet.example'),
      mail('fleet.example'),
      ip(10, 0, 0, 0, 255, 0, 0, 0),
      directory(commonName('Fleet')),
    )
    return [nameConstraints(seldom() ? { excluded: [tree] } : { permitted: [tree] })]
  }
  const purposes = (): Uint8Array[] =>
    random(3) > 0 ? [] : [extension(OID.extKeyUsage, sequence(objectId(seldom() ? OID.serverAuth : OID.clientAuth)))]
  const make = (issuer: Party | null, name: string): Party => {
    const extensions = [
      ...(seldom() ? [] : [basicConstraints(!seldom(), ...(random(3) === 0 ? [random(3)] : []))]),
      ...(seldom() ? [keyUsage(pick(0x80, 0x06, 0x04))] : [keyUsage(0x06)]),
      ...(issuer === null ? [] : [authorityKeyIdentifier(issuer.key)]),
      ...trees(),
      ...purposes(),
    ]
    return certificate(issuer, { name: commonName('Fleet', name), ...validity(), extensions })
  }
  const root = authority(null, { name: commonName('Fleet', 'Root'), extensions: trees() })
  let issuer = root
  const above: Party[] = []
  for (let depth = random(3); depth > 0; depth--) {
    issuer = make(issuer, `Authority ${depth}`)
    above.unshift(issuer)
  }
  const names = pick(
    [dns('a.fleet.example')],
    [dns('a.example')],
    [mail('a@fleet.example')],
    [ip(10, 1, 2, 3), dns('b.fleet.example')],
  )
  const own = certificate(issuer, {
    name: commonName('Fleet', 'Device 1'),
    ...validity(),
    extensions: [subjectAltName(...names), keyUsage(seldom() ? 0x20 : 0x80), ...purposes()],
  })
  return { chain: [own, ...above], root }
}

function flipped(der: Uint8Array): Uint8Array {
  const copy = der.slice()
  copy[copy.length - 1]! ^= 1
  return copy
}

function taken<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.fault.code)
  return result.value
}
