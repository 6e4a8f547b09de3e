/** What a stranger's certificates may cost: chains that are dear to check never reach the engine, honest ones do with every suite. */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Duplex } from 'node:stream'
import { connect, type ConnectionOptions } from 'node:tls'
import { concatBytes, fromHex } from '@culvert/bytes'
import { describe, expect, it, vi } from 'vitest'
import { createEapAuthenticator, type EapStep } from '../authenticator.ts'
import { createEapPeer } from '../peer.ts'
import { createTlsMethod } from './authenticator.ts'
import { ClientFlights } from './client-flights.ts'
import type { TlsCertificate, TlsVersion } from './context.ts'
import { createTlsContext } from './context.ts'
import { createTlsPeerMethod } from './peer.ts'
import { TlsEnd } from './tls-end.ts'

const CERTIFICATES = new URL('../../../../test/vectors/captures/08-eap-tls13/certs/', import.meta.url)
const pem = (name: string): string => readFileSync(new URL(name, CERTIFICATES), 'utf8')
const gateway: TlsCertificate = { chain: pem('gw.pem'), key: pem('gw.key') }
const device: TlsCertificate = { chain: pem('d1.pem'), key: pem('d1.key') }
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const
const rng = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
const leaf = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const leafKey = leaf.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
const leafSpki = new Uint8Array(leaf.publicKey.export({ format: 'der', type: 'spki' }))

describe.each(VERSIONS)('with %s', (version) => {
  it.each<[string, readonly Uint8Array[]]>([
    ['a key with an exponent as long as its modulus', [rsaSpki(384, 384)]],
    ['a key of 16384 bits', [rsaSpki(2048, 3)]],
    ['an authority of nobody with a key of P-521', [curveSpki('P-521')]],
    ['an authority of nobody with a key of P-384', [leafSpki, curveSpki('P-384')]],
    ['more certificates than any chain has', Array.from({ length: 5 }, () => leafSpki)],
  ])('N25 a chain with %s is refused before anybody checks a signature of it', async (_, above) => {
    const { step, verifyChain } = await converse(version, { chain: chainOf([leafSpki, ...above]), key: leafKey })
    expect(step).toMatchObject({ outcome: 'failure', reason: 'certificateRefused' })
    expect(verifyChain).not.toHaveBeenCalled()
  })

  it('a chain whose own key alone is dear is looked at, and one of an authority that we know', async () => {
    const dear = generateKeyPairSync('ec', { namedCurve: 'P-521' })
    const spki = new Uint8Array(dear.publicKey.export({ format: 'der', type: 'spki' }))
    const key = dear.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
    expect((await converse(version, { chain: chainOf([spki]), key })).verifyChain).toHaveBeenCalledOnce()
    const known = toPem(certificate(1, curveSpki('P-521')))
    const chain = `${toPem(certificate(0, leafSpki))}${known}`
    expect((await converse(version, { chain, key: leafKey }, known)).verifyChain).toHaveBeenCalledOnce()
  })

  it('a chain of four with its root is looked at', async () => {
    const spkis = [leafSpki, leafSpki, rsaSpki(512, 3), rsaSpki(256, 3), rsaSpki(512, 3)]
    const { step, verifyChain } = await converse(version, { chain: chainOf(spkis), key: leafKey })
    expect(step).toMatchObject({ outcome: 'failure', reason: 'certificateRefused' })
    expect(verifyChain).toHaveBeenCalledOnce()
  })
})

describe('RFC 8446 5.2 certificates are read', () => {
  it.each(['TLS_AES_256_GCM_SHA384', 'TLS_AES_128_GCM_SHA256', 'TLS_CHACHA20_POLY1305_SHA256'])(
    'with %s',
    async (ciphers) => {
      expect(await lookAt({ ciphers })).toEqual({ verdicts: ['good', 'good'], phase: 'secure' })
      expect((await lookAt({ ciphers, cert: chainOf([leafSpki, rsaSpki(384, 384)]), key: leafKey })).verdicts).toEqual([
        'good',
        'refused',
      ])
    },
  )

  it('after a second hello (RFC 8446 4.1.4)', async () => {
    const hello = await lookAt({ ecdhCurve: 'P-521:P-256' }, 'P-256')
    expect(hello).toEqual({ verdicts: ['good', 'good', 'good'], phase: 'secure' })
    const dear = { ecdhCurve: 'P-521:P-256', cert: chainOf([leafSpki, rsaSpki(384, 384)]), key: leafKey }
    expect((await lookAt(dear, 'P-256')).verdicts).toEqual(['good', 'good', 'refused'])
  })
})

describe('N25 what is no flight of a client is malformed', () => {
  const hello = record(22, message(1, 40))
  it.each<[string, readonly Uint8Array[]]>([
    ['an unknown record', [record(24, rng(8))]],
    ['protected records before there is a key', [record(23, rng(64))]],
    ['a message of the other end', [record(22, message(2, 40))]],
    ['Finished in the clear', [hello, record(22, message(20, 12))]],
    ['a list of certificates that ends early', [hello, record(22, Uint8Array.of(11, 0, 0, 6, 0, 0, 3, 0, 0, 9))]],
    ['octets behind a list of certificates', [hello, record(22, Uint8Array.of(11, 0, 0, 4, 0, 0, 0, 9))]],
  ])('%s', (_, records) => {
    const flights = new ClientFlights()
    expect(records.map((octets) => flights.add(octets)).at(-1)).toBe('malformed')
  })

  it('a clear message, and one cut in two, when keys have changed', () => {
    const clear = new ClientFlights()
    expect(clear.add(hello)).toBe('good')
    clear.protect({ cipher: 'TLS_AES_128_GCM_SHA256', secret: rng(32) })
    expect(clear.add(hello)).toBe('malformed')
    const torn = new ClientFlights()
    expect(torn.add(record(22, message(1, 40).subarray(0, 20)))).toBe('good')
    torn.protect({ cipher: 'TLS_AES_128_GCM_SHA256', secret: rng(32) })
    expect(torn.add(record(21, rng(2)))).toBe('malformed')
  })

  it('a record under a suite that nobody knows', () => {
    const flights = new ClientFlights()
    flights.protect({ cipher: 'TLS_AES_128_CCM_SHA256', secret: rng(32) })
    expect(flights.add(record(23, rng(64)))).toBe('malformed')
  })

  it('the secret is zeroed', () => {
    const secret = rng(32)
    new ClientFlights().protect({ cipher: 'TLS_AES_128_GCM_SHA256', secret })
    expect(secret.every((octet) => octet === 0)).toBe(true)
  })
})

async function converse(version: TlsVersion, certificate: TlsCertificate, authority = pem('ca.pem')) {
  const verifyChain = vi.fn(async () => null)
  const method = createTlsMethod({ certificate: gateway, authorities: [authority], verifyChain })
  const server = createEapAuthenticator({ methods: [method], askIdentity: false, claimedIdentity: null, rng })
  const versions = { least: version, most: version }
  const peer = createEapPeer({
    identity: 'd1',
    methods: [createTlsPeerMethod({ certificate, versions, verifyChain: async () => true })],
    rng,
  })
  let step: EapStep = await server.next(null)
  while (step.outcome === 'continue') {
    const answer = await peer.next(step.packet)
    if (answer.outcome !== 'continue') break
    step = await server.next(answer.packet)
  }
  return { step, verifyChain }
}

/** A client of the library's own, with every octet it says looked at before a server of ours hears it. */
async function lookAt(options: ConnectionOptions, groups?: string) {
  let said: Uint8Array[] = []
  const pipe = new Duplex({
    read: () => {},
    write: (chunk: Uint8Array, _encoding, done) => {
      said.push(new Uint8Array(chunk))
      done()
    },
  })
  const versions = { least: 'TLSv1.3', most: 'TLSv1.3' } as const
  const context = createTlsContext({ certificate: gateway, authorities: [], versions })
  if (groups !== undefined) (context.context as unknown as { setECDHCurve(names: string): void }).setECDHCurve(groups)
  const server = new TlsEnd(context, 'server')
  const flights = new ClientFlights()
  const client = connect({ cert: device.chain, key: device.key, ...options, socket: pipe, rejectUnauthorized: false })
  client.on('error', () => {})
  const verdicts: string[] = []
  let phase = 'handshake'
  while (phase === 'handshake') {
    await vi.waitUntil(() => said.length > 0, { timeout: 20_000 })
    const octets = concatBytes(...said)
    said = []
    const verdict = flights.add(octets)
    verdicts.push(verdict)
    if (verdict !== 'good') break
    const rest = await server.receive(octets)
    const secret = server.takeHandshakeSecret()
    if (secret !== null) flights.protect(secret)
    phase = rest.phase
    pipe.push(rest.output)
    for (let turn = 0; turn < 5; turn++) await new Promise((next) => setImmediate(next))
  }
  client.destroy()
  server.close()
  return { verdicts, phase }
}

function record(type: number, content: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(type, 3, 3, content.length >>> 8, content.length), content)
}

function message(type: number, length: number): Uint8Array {
  return concatBytes(Uint8Array.of(type, 0, 0, length), new Uint8Array(length))
}

/** Certificates one above the other by name, the first with the key of the client; no signature is good. */
function chainOf(spkis: readonly Uint8Array[]): string {
  return spkis.map((spki, at) => toPem(certificate(at, spki))).join('')
}

function certificate(at: number, spki: Uint8Array): Uint8Array {
  const algorithm = hex('300d06092a864886f70d01010b0500')
  const validity = tlv(0x30, tlv(0x17, text('200101000000Z')), tlv(0x17, text('490101000000Z')))
  const version = hex('a003020102')
  const tbs = tlv(0x30, version, tlv(2, Uint8Array.of(at + 1)), algorithm, name(at + 1), validity, name(at), spki)
  return tlv(0x30, tbs, algorithm, tlv(3, new Uint8Array(257).fill(1, 1)))
}

function curveSpki(namedCurve: string): Uint8Array {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve })
  return new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }))
}

/** A key that has no private half. */
function rsaSpki(modulusBytes: number, exponentBytes: number): Uint8Array {
  const key = tlv(0x30, integer(modulusBytes), integer(exponentBytes))
  return tlv(0x30, hex('300d06092a864886f70d0101010500'), tlv(3, Uint8Array.of(0), key))
}

function integer(length: number): Uint8Array {
  const octets = new Uint8Array(length + 1).fill(0x81, 1)
  return tlv(2, octets)
}

function name(at: number): Uint8Array {
  return tlv(0x30, tlv(0x31, tlv(0x30, hex('0603550403'), tlv(0x0c, text(`authority ${at}`)))))
}

function tlv(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const { length } = concatBytes(...contents)
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >>> 8, length]
  return concatBytes(Uint8Array.of(tag, ...size), ...contents)
}

function toPem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

function hex(value: string): Uint8Array {
  return fromHex(value) ?? new Uint8Array(0)
}
