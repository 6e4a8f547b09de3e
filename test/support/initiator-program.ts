/**
 * Our IKEv2 initiator alone, without ESP, for a namespace with somebody else's responder: one attempt. Prints events, takes
 * commands as `ike-program.ts` says.
 *
 * `node initiator-program.ts <local address> <remote address> <options as JSON>`
 */
import { createInterface } from 'node:readline'
import {
  type AttachmentKey,
  type Command,
  type EndpointConfig,
  fromCidr,
  type IkeEvent,
  type InitiatorConfig,
  type Question,
  type SocketAddress,
  type TrafficSelector,
} from '@culvert/ikev2'
import type { Told } from './ike-program.ts'
import { fqdn, ppkOf, startIkeNode } from './ike-node.ts'
import { readSigner, readTrust } from './trust.ts'

export interface InitiatorOptions {
  readonly secret?: string
  /** PEM files. */
  readonly certificates?: {
    readonly ca: string
    readonly own: { readonly certificate: string; readonly key: string }
  }
  readonly ppk?: { readonly name: string; readonly secret: string; readonly isRequired: boolean }
  readonly childless?: boolean
  readonly config?: Partial<Pick<EndpointConfig, 'features' | 'fragmentBytes' | 'proposals'>>
}

const IKE_PORT = 500

const [local = '', remote = '', json = '{}'] = process.argv.slice(2)
const options = JSON.parse(json) as InitiatorOptions
const { secret = '', certificates, ppk } = options
const trust = certificates && readTrust(certificates.ca)
let key: AttachmentKey | null = null
let responder: SocketAddress = { address: remote, port: IKE_PORT }

const node = await startIkeNode(
  local,
  {
    localId: fqdn('one.devices.example'),
    ...(trust && { certificateAuthorities: trust.authorityHashes }),
    ...options.config,
  },
  {
    onEvent: hear,
    answer: (question: Question) =>
      question.kind === 'trust'
        ? { kind: 'trust', key: trust?.keyOf(question.certificates, question.idR, 'gateway') ?? null }
        : null,
  },
)
process.stdout.write('{"kind":"ready"}\n')
initiate()

function hear(event: IkeEvent): void {
  if (event.kind === 'established') key = event.key
  if ('ike' in event) responder = event.ike.path.remote
  process.stdout.write(`${JSON.stringify({ ...event, children: node.children.size })}\n`)
}

function initiate(): void {
  const peer: InitiatorConfig = {
    path: { local: { address: local, port: IKE_PORT }, remote: responder },
    localId: fqdn('one.devices.example'),
    remoteId: fqdn('concentrator.example'),
    proof: certificates
      ? { kind: 'signature', ...readSigner(certificates.own) }
      : { kind: 'psk', secret: new TextEncoder().encode(secret) },
    tsLocal: anywhere(),
    tsRemote: anywhere(),
    requestAddress: { ip4: true, ip6: false },
    childless: options.childless ?? false,
    ...(ppk && { ppk: ppkOf(ppk) }),
    label: 'one',
  }
  node.command({ kind: 'initiate', peer })
}

function anywhere(): TrafficSelector[] {
  const everything = fromCidr(local.includes(':') ? '::/0' : '0.0.0.0/0')
  return everything === null ? [] : [everything]
}

async function obey(told: Told): Promise<Command | null> {
  if (key === null) return null
  switch (told.kind) {
    case 'rekeyIke':
    case 'checkLiveness':
      return { kind: told.kind, key }
    case 'rekeyChild': {
      const [spiIn] = node.children.keys()
      return spiIn === undefined ? null : { kind: told.kind, key, spiIn }
    }
    case 'createChild':
      return { kind: told.kind, key, tsLocal: anywhere(), tsRemote: anywhere() }
    case 'moveTo': {
      await node.listen(told.address)
      return { kind: told.kind, key, path: { local: { address: told.address, port: 4500 }, remote: responder } }
    }
    case 'deleteIke':
      return { kind: told.kind, key, reason: 'shutdown' }
    case 'redirect':
      return null
  }
}

createInterface({ input: process.stdin }).on('line', (line) => {
  void obey(JSON.parse(line) as Told).then((command) => command && node.command(command))
})
