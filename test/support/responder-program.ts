/**
 * Our IKEv2 responder alone, without ESP, for a namespace: everybody with the secret, with a certificate of the authority or who
 * comes through the EAP method attaches, and gets the same addresses. Prints events, takes commands as
 * `ike-program.ts` says; with `exposeKeys` also lines for a dissector, after the word `keys`.
 *
 * `node responder-program.ts <local address> <options as JSON>`
 */
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { createInterface } from 'node:readline'
import {
  createEapAuthenticator,
  createMschapMethod,
  createTlsMethod,
  type EapAuthenticator,
  type EapMethod,
  ntHash,
} from '@culvert/eap'
import { ikeKeyLines } from '@culvert/ike-driver'
import {
  type Answer,
  type AttachmentKey,
  type Candidate,
  type EapSession,
  type EndpointConfig,
  fromCidr,
  type GatewayIdentity,
  type Question,
  type TrafficSelector,
} from '@culvert/ikev2'
import type { Told } from './ike-program.ts'
import { fqdn, ppkOf, startIkeNode } from './ike-node.ts'
import { readSigner, readTrust } from './trust.ts'

export interface ResponderOptions {
  readonly secret?: string
  /** PEM files. */
  readonly certificates?: {
    readonly ca: string
    readonly own: { readonly certificate: string; readonly key: string }
  }
  readonly eap?:
    | { readonly method: 'tls' }
    | { readonly method: 'mschapv2'; readonly user: string; readonly password: string }
  /** Who takes EAP only hears no AUTH of ours (RFC 5998). */
  readonly withoutOurProof?: boolean
  readonly ppk?: { readonly name: string; readonly secret: string; readonly isRequired: boolean }
  readonly redirect?: { readonly at: 'init' | 'attach'; readonly to: GatewayIdentity }
  readonly config?: Partial<
    Pick<EndpointConfig, 'features' | 'cookieThreshold' | 'fragmentBytes' | 'proposals' | 'exposeKeys'>
  >
}

const INNER_ADDRESS = '10.128.0.10'
const [local = '', json = '{}'] = process.argv.slice(2)
const options = JSON.parse(json) as ResponderOptions
const { secret, certificates, eap, ppk, redirect } = options
const signer = certificates && readSigner(certificates.own)
const trust = certificates && readTrust(certificates.ca)
const method = eap && methodOf(eap)
const conversations = new Map<EapSession, EapAuthenticator>()
let key: AttachmentKey | null = null

const node = await startIkeNode(
  local,
  {
    localId: fqdn('concentrator.example'),
    ...(trust && { certificateAuthorities: trust.authorityHashes }),
    ...options.config,
  },
  {
    answer: decide,
    onEvent(event) {
      if (event.kind === 'ikeKeys') {
        for (const line of ikeKeyLines(event.keys)) process.stdout.write(`keys ${line}\n`)
        return
      }
      if (event.kind === 'established') key = event.key
      process.stdout.write(`${JSON.stringify({ ...event, children: node.children.size })}\n`)
    },
    onEndEap: (session) => endEap(session),
  },
)
if (redirect?.at === 'init') node.command({ kind: 'redirectNewcomers', to: redirect.to })
process.stdout.write('{"kind":"ready"}\n')

async function decide(question: Question): Promise<Answer | null> {
  switch (question.kind) {
    case 'credential':
      return credential(question)
    case 'eap':
      return converse(question)
    case 'attach':
      return redirect?.at === 'attach' ? { kind: 'attach', grant: null, redirect: redirect.to } : attach()
    default:
      return null
  }
}

function credential(question: Extract<Question, { kind: 'credential' }>): Answer {
  const subject = new TextDecoder().decode(question.idI.data)
  const candidates: Candidate[] = []
  if (secret !== undefined) candidates.push({ kind: 'psk', id: 'crd_psk', secret: new TextEncoder().encode(secret) })
  if (method) candidates.push({ kind: 'eap', id: 'crd_eap', withoutOurProof: options.withoutOurProof ?? false })
  const proven = trust?.keyOf(question.certificates, question.idI, 'device')
  if (proven) candidates.push({ kind: 'publicKey', id: 'crd_certificate', key: proven })
  const found = { subject, candidates, ...(signer && { signer }), ...(ppk && { ppks: [ppkOf(ppk)] }) }
  return { kind: 'credential', found }
}

async function converse({ session, packet, idI }: Extract<Question, { kind: 'eap' }>): Promise<Answer | null> {
  if (method === undefined) return null
  const running =
    conversations.get(session) ??
    createEapAuthenticator({
      methods: [method],
      askIdentity: true,
      claimedIdentity: new TextDecoder().decode(idI.data),
      rng: (length) => new Uint8Array(randomBytes(length)),
    })
  conversations.set(session, running)
  const step = await running.next(packet)
  if (step.outcome === 'continue') return { kind: 'eap', outcome: 'continue', packet: step.packet }
  endEap(session)
  if (step.outcome === 'failure') {
    process.stdout.write(`EAP failed: ${step.reason}\n`)
    return { kind: 'eap', outcome: 'failure', packet: step.packet }
  }
  const { identity: subject, msk } = step
  return { kind: 'eap', outcome: 'success', packet: step.packet, msk, subject, credential: 'crd_eap' }
}

function endEap(session: EapSession): void {
  conversations.get(session)?.close()
  conversations.delete(session)
}

function attach(): Answer {
  return {
    kind: 'attach',
    grant: {
      ip4: INNER_ADDRESS,
      ip6: null,
      dns4: [],
      tsLocal: selectors('10.127.0.0/24'),
      tsRemote: selectors(`${INNER_ADDRESS}/32`),
      replaces: [],
    },
  }
}

function methodOf(wanted: NonNullable<ResponderOptions['eap']>): EapMethod {
  if (wanted.method === 'mschapv2') {
    const { user, password } = wanted
    return createMschapMethod({
      serverName: 'concentrator.example',
      secretFor: async (name) => (name === user ? ntHash(password) : null),
    })
  }
  if (certificates === undefined) throw new Error('EAP-TLS needs certificates')
  const { own, ca } = certificates
  return createTlsMethod({
    certificate: { chain: fs.readFileSync(own.certificate, 'utf8'), key: fs.readFileSync(own.key, 'utf8') },
    authorities: [fs.readFileSync(ca, 'utf8')],
    async verifyChain(chain) {
      const subject = trust?.nameOf(chain) ?? null
      return subject === null ? null : { subject }
    },
  })
}

function selectors(cidr: string): TrafficSelector[] {
  const selector = fromCidr(cidr)
  return selector === null ? [] : [selector]
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const told = JSON.parse(line) as Told
  const [spiIn] = [...node.children.keys()].slice(-1)
  if (key === null) return
  if (told.kind === 'rekeyIke' || told.kind === 'checkLiveness') node.command({ kind: told.kind, key })
  else if (told.kind === 'rekeyChild' && spiIn !== undefined) node.command({ kind: 'rekeyChild', key, spiIn })
  else if (told.kind === 'redirect') node.command({ kind: 'redirect', key, to: told.to })
  else if (told.kind === 'deleteIke') node.command({ kind: 'deleteIke', key, reason: 'deletedLocally' })
})
