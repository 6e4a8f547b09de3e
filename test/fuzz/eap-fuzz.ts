/**
 * Fuzzes the EAP authenticator: conversations with a device that has the secret, or with one that has not, in which one response or
 * every response is damaged on its way.
 *
 * Rules: no round rejects or throws; what comes out is EAP and small; a conversation ends within its bound of rounds; whoever lacks
 * the secret never gets in; who gets in has the same MSK and is who it was; after the end there is nothing but failure.
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { toHex } from '@culvert/bytes'
import {
  createEapAuthenticator,
  createEapPeer,
  createMschapMethod,
  createMschapPeerMethod,
  createTlsMethod,
  createTlsPeerMethod,
  decodeEap,
  type EapAuthenticator,
  type EapPeer,
  type EapPeerAnswer,
  type EapPeerMethod,
  type EapStep,
  ntHash,
  type TlsVersion,
} from '@culvert/eap'
import { mutate } from './mutate.ts'
import { seededRandom, type SeededRandom } from './random.ts'

const MOST_ROUNDS = 130
const MOST_PACKET_BYTES = 1100
const CERTIFICATES = new URL('../vectors/captures/08-eap-tls13/certs/', import.meta.url)
const pem = (name: string): string => readFileSync(new URL(name, CERTIFICATES), 'utf8')
const authority = new X509Certificate(pem('ca.pem'))

const methods = {
  tls: createTlsMethod({
    certificate: { chain: pem('gw.pem'), key: pem('gw.key') },
    verifyChain: async ([leaf]) =>
      leaf !== undefined && new X509Certificate(leaf).verify(authority.publicKey) ? { subject: 'd1' } : null,
  }),
  mschapv2: createMschapMethod({
    serverName: 'gw.example',
    secretFor: async (name) => (name === 'd1' ? ntHash('secret') : null),
  }),
}

const tlsDevice = (version: TlsVersion, hasKey: boolean): EapPeerMethod =>
  createTlsPeerMethod({
    certificate: hasKey ? { chain: pem('d1.pem'), key: pem('d1.key') } : null,
    versions: { least: version, most: version },
    verifyChain: async () => true,
  })

const devices: readonly { readonly method: EapPeerMethod; readonly hasSecret: boolean }[] = [
  { method: tlsDevice('TLSv1.2', true), hasSecret: true },
  { method: tlsDevice('TLSv1.3', true), hasSecret: true },
  { method: tlsDevice('TLSv1.3', false), hasSecret: false },
  { method: createMschapPeerMethod({ userName: 'd1', password: 'secret' }), hasSecret: true },
  { method: createMschapPeerMethod({ userName: 'd1', password: 'guess' }), hasSecret: false },
  { method: createMschapPeerMethod({ userName: 'nobody', password: 'secret' }), hasSecret: false },
]

export interface EapTally {
  readonly conversations: number
  readonly successes: number
  readonly reasons: ReadonlySet<string>
}

/** @throws an error that shows seed, conversation and packet when a rule is broken */
export async function fuzzEap(seed: number, conversations: number): Promise<EapTally> {
  const random = seededRandom(seed)
  const seen: Uint8Array[] = [Uint8Array.of(2, 0, 0, 5, 1)]
  const reasons = new Set<string>()
  let successes = 0
  for (let index = 0; index < conversations; index++) {
    const device = random.pick(devices)
    const rng = (length: number): Uint8Array => random.bytes(length)
    const server = createEapAuthenticator({
      methods: random.oneIn(2) ? [methods.tls, methods.mschapv2] : [methods.mschapv2, methods.tls],
      askIdentity: random.oneIn(2),
      claimedIdentity: null,
      rng,
    })
    const peer = createEapPeer({ identity: 'd1', methods: [device.method], rng })
    try {
      const end = await converse(server, peer, random, seen)
      checkEnd(end, device.hasSecret)
      if (end.step.outcome === 'success') successes += 1
      if (end.step.outcome === 'failure') reasons.add(end.step.reason)
    } catch (error) {
      throw new Error(`seed ${seed}, conversation ${index}, packet ${toHex(seen.at(-1) ?? seen[0]!)}`, { cause: error })
    } finally {
      server.close()
      peer.close()
    }
  }
  return { conversations, successes, reasons }
}

interface End {
  readonly step: EapStep
  readonly answer: EapPeerAnswer
}

async function converse(
  server: EapAuthenticator,
  peer: EapPeer,
  random: SeededRandom,
  seen: Uint8Array[],
): Promise<End> {
  const damaged = random.below(9)
  const isStubborn = random.oneIn(4)
  let step = await server.next(null)
  for (let round = 0; round <= MOST_ROUNDS; round++) {
    checkPacket(step)
    const answer: EapPeerAnswer = await peer.next(step.packet)
    if (step.outcome !== 'continue') {
      if ((await server.next(seen.at(-1)!)).outcome !== 'failure') throw new Error('goes on after the end')
      return { step, answer }
    }
    // a device that is done may still try something
    const honest = answer.outcome === 'continue' ? answer.packet : random.pick(seen)
    const isDamaged = isStubborn ? random.oneIn(2) : round === damaged
    const packet = isDamaged ? damage(honest, step.packet, random, seen) : honest
    seen.push(packet)
    if (seen.length > 64) seen.splice(0, 32)
    step = await server.next(packet)
  }
  throw new Error('too many rounds')
}

/** Half of the damaged packets have the right length, three quarters the right identifier: others do not come far. */
function damage(
  honest: Uint8Array,
  request: Uint8Array,
  random: SeededRandom,
  seen: readonly Uint8Array[],
): Uint8Array {
  const packet = mutate(random.oneIn(8) ? random.pick(seen) : honest, random, seen)
  if (packet.length >= 4 && random.oneIn(2)) packet.set([packet.length >>> 8, packet.length & 255], 2)
  if (packet.length >= 2 && !random.oneIn(4)) packet.set(request.subarray(1, 2), 1)
  return packet
}

function checkPacket(step: EapStep): void {
  const decoded = decodeEap(step.packet)
  const kind = step.outcome === 'continue' ? 'request' : step.outcome
  if (!decoded.ok || decoded.value.kind !== kind) throw new Error(`${step.outcome} with another packet`)
  if (step.packet.length > MOST_PACKET_BYTES) throw new Error('a packet beyond its bound')
}

function checkEnd({ step, answer }: End, hasSecret: boolean): void {
  if (step.outcome !== 'success') return
  if (!hasSecret) throw new Error('in without the secret')
  if (step.identity !== 'd1' || step.msk.length !== 64) throw new Error('in as somebody else')
  if (answer.outcome === 'success' && toHex(answer.msk) !== toHex(step.msk)) throw new Error('in with another MSK')
}
