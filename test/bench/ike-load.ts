/**
 * The devices of the bench `ike`, many behind one address: `node ike-load.ts <socket> <options as JSON>` in their namespace.
 *
 * It answers HTTP on the Unix socket: POST /attach and /detach with { from, count } name devices of the fleet and are answered when
 * all of them did so; `atOnce` handshakes are under way at a time. A device that fails tries again, and is counted.
 */
import { readFileSync } from 'node:fs'
import http from 'node:http'
import { text } from 'node:stream/consumers'
import { createPrivateKey } from 'node:crypto'
import { selectorOf } from '@culvert/concentrator-core'
import { signingKey } from '@culvert/crypto'
import { openRadio } from '@culvert/device-sim'
import {
  defaultEspSuites,
  defaultIkeSuites,
  ID_TYPE,
  KE,
  TRANSFORM_TYPE,
  type AttachmentKey,
  type IkeEvent,
  type Identity,
  type InitiatorProof,
  type ProposalPolicy,
} from '@culvert/ikev2'
import { createLogger } from '@culvert/observability'
import { fromPem, trustAnchors } from '@culvert/pki'
import type { FleetMember } from './ike-fleet.ts'

export interface LoadOptions {
  /** JSON file with the members of the fleet. */
  readonly fleet: string
  readonly localAddress: string
  readonly remoteAddress: string
  readonly remoteIdentity: string
  readonly remotePrefix: string
  readonly atOnce: number
  /** With ML-KEM-768 beside the ordinary key exchange (RFC 9370). */
  readonly isHybrid: boolean
}

export interface LoadAnswer {
  readonly ms: number
  readonly failed: number
  /** Milliseconds each took from its first message. */
  readonly times: readonly number[]
}

const [socketPath = '', json = ''] = process.argv.slice(2)
const options = JSON.parse(json) as LoadOptions
const fleet = JSON.parse(readFileSync(options.fleet, 'utf8')) as readonly FleetMember[]
const authorities = fleet.flatMap(({ proof }) => (proof.kind === 'certificate' ? [proof.authority] : []))
const anchors = trustAnchors(fromPem(authorities[0] ?? '', 'CERTIFICATE') ?? [])
if (!anchors.ok) throw new Error('the authority cannot be read')
const MOST_TRIES = 5
let why = 'closed'
const keys = new Map<string, AttachmentKey>()
const radio = await openRadio(
  {
    localIkePort: 500,
    localEspPort: 4500,
    localAddress: options.localAddress,
    tun: { name: 'fleet0', namespace: null, mtuBytes: 1400 },
    livenessMs: 0,
    natKeepaliveMs: 0,
    devices: fleet.length,
    anchors: anchors.value,
    ...(options.isHybrid && { proposals: hybridProposals() }),
  },
  createLogger('ike-load', 'warn'),
)

async function all(members: readonly FleetMember[], one: (member: FleetMember) => Promise<void>): Promise<number> {
  const start = performance.now()
  const waiting = [...members].toReversed()
  const worker = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await one(next)
  }
  await Promise.all(Array.from({ length: options.atOnce }, worker))
  return performance.now() - start
}

async function attach(members: readonly FleetMember[]): Promise<LoadAnswer> {
  let failed = 0
  const times: number[] = []
  const ms = await all(members, async (member) => {
    const start = performance.now()
    for (let tries = 1; !(await attachOnce(member)); tries++) {
      if (tries === MOST_TRIES) throw new Error(`${member.identity} does not attach: ${why}`)
      failed++
    }
    times.push(performance.now() - start)
  })
  return { ms, failed, times }
}

function attachOnce({ identity, proof }: FleetMember): Promise<boolean> {
  return new Promise((done) => {
    radio.subscribe(identity, (event) => {
      if (event.kind === 'established') keys.set(identity, event.key)
      if (event.kind === 'childEstablished') done(true)
      if (event.kind === 'attemptFailed') why = event.detail
      if (event.kind === 'childRefused') why = `no Child SA, notify ${event.notify}`
      if (event.kind === 'attemptFailed' || event.kind === 'closed' || event.kind === 'childRefused') done(false)
    })
    radio.driver.command({
      kind: 'initiate',
      peer: {
        path: {
          local: { address: options.localAddress, port: 500 },
          remote: { address: options.remoteAddress, port: 500 },
        },
        localId: fqdn(identity),
        remoteId: fqdn(options.remoteIdentity),
        proof: initiatorProof(proof),
        tsLocal: [selectorOf('0.0.0.0/0')],
        tsRemote: [selectorOf(options.remotePrefix)],
        requestAddress: { ip4: true, ip6: false },
        label: identity,
      },
    })
  })
}

async function detach(members: readonly FleetMember[]): Promise<LoadAnswer> {
  const ms = await all(
    members,
    ({ identity }) =>
      new Promise((done) => {
        const key = keys.get(identity)
        if (key === undefined) return done()
        radio.subscribe(identity, (event: IkeEvent) => {
          if (event.kind === 'closed') done()
        })
        radio.driver.command({ kind: 'deleteIke', key, reason: 'deletedLocally' })
      }),
  )
  return { ms, failed: 0, times: [] }
}

function initiatorProof(proof: FleetMember['proof']): InitiatorProof {
  if (proof.kind === 'psk') return { kind: 'psk', secret: new TextEncoder().encode(proof.secret) }
  const pkcs8 = createPrivateKey(proof.key).export({ format: 'der', type: 'pkcs8' })
  const key = signingKey(new Uint8Array(pkcs8))
  const certificates = fromPem(proof.chain, 'CERTIFICATE')
  if (key === null || certificates === null) throw new Error('the certificate of a device cannot be read')
  return { kind: 'signature', key, certificates }
}

function hybridProposals(): ProposalPolicy {
  const mlKem = [[{ type: TRANSFORM_TYPE.ADDKE1, id: KE.ML_KEM_768, keyBits: null }]]
  return { ike: defaultIkeSuites.map((suite) => ({ ...suite, additionalKe: mlKem })), esp: defaultEspSuites }
}

function fqdn(name: string): Identity {
  return { type: ID_TYPE.FQDN, data: new TextEncoder().encode(name) }
}

const server = http.createServer((request, response) => {
  void text(request).then(async (body) => {
    const { from, count } = JSON.parse(body) as { from: number; count: number }
    const members = fleet.slice(from, from + count)
    const work = request.url === '/attach' ? attach(members) : detach(members)
    const answer = await work.catch((error: unknown) => ({ error: String(error) }))
    response.end(JSON.stringify(answer))
  })
})
server.requestTimeout = 0
server.listen(socketPath, () => process.stdout.write('fleet ready\n'))
