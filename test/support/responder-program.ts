/**
 * Our IKEv2 responder alone, without ESP, for a namespace: everybody with the secret, or with the certificate it is told of,
 * attaches and gets the same address. Prints one event a line as JSON; reads `deleteIke`, `rekeyIke`, `checkLiveness` from stdin.
 *
 * `node responder-program.ts <local address> <options as JSON>`
 */
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import fs from 'node:fs'
import { createInterface } from 'node:readline'
import { signingKey, verifyingKey } from '@culvert/crypto'
import {
  type Answer,
  type AttachmentKey,
  type Candidate,
  fromCidr,
  type Question,
  type Signer,
  type TrafficSelector,
} from '@culvert/ikev2'
import { fqdn, startIkeNode } from './ike-node.ts'

export interface ResponderOptions {
  readonly secret?: string
  /** PEM files. The device's certificate is taken as it is: what a chain is worth is tested elsewhere. */
  readonly certificates?: {
    readonly ca: string
    readonly own: { readonly certificate: string; readonly key: string }
    readonly device: string
  }
}

const INNER_ADDRESS = '10.128.0.10'
const [local = '', json = '{}'] = process.argv.slice(2)
const { secret, certificates } = JSON.parse(json) as ResponderOptions
const signer = certificates && signerOf(certificates.own)
let key: AttachmentKey | null = null

const node = startIkeNode(
  local,
  {
    localId: fqdn('concentrator.example'),
    ...(certificates && { certificateAuthorities: [keyHashOf(certificates.ca)] }),
  },
  {
    answer: decide,
    onEvent(event) {
      if (event.kind === 'established') key = event.key
      process.stdout.write(`${JSON.stringify(event)}\n`)
    },
  },
)
process.stdout.write('{"kind":"ready"}\n')

function decide(question: Question): Answer | null {
  if (question.kind === 'credential') {
    const subject = new TextDecoder().decode(question.idI.data)
    return { kind: 'credential', found: { subject, candidates: candidates(), ...(signer && { signer }) } }
  }
  if (question.kind !== 'attach') return null
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

function candidates(): Candidate[] {
  if (secret !== undefined) return [{ kind: 'psk', id: 'crd_psk', secret: new TextEncoder().encode(secret) }]
  if (certificates === undefined) return []
  const found = verifyingKey(spkiOf(certificates.device))
  return found === null ? [] : [{ kind: 'publicKey', id: 'crd_certificate', key: found }]
}

function signerOf({ certificate, key: keyFile }: { certificate: string; key: string }): Signer {
  const pkcs8 = createPrivateKey(fs.readFileSync(keyFile)).export({ type: 'pkcs8', format: 'der' })
  const own = signingKey(new Uint8Array(pkcs8))
  if (own === null) throw new Error(`${keyFile} does not hold a key we sign with`)
  return { key: own, certificates: [new Uint8Array(new X509Certificate(fs.readFileSync(certificate)).raw)] }
}

function spkiOf(certificate: string): Uint8Array {
  const { publicKey } = new X509Certificate(fs.readFileSync(certificate))
  return new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }))
}

/** As it stands in a CERTREQ payload (RFC 7296 3.7). */
function keyHashOf(certificate: string): Uint8Array {
  return new Uint8Array(createHash('sha1').update(spkiOf(certificate)).digest())
}

function selectors(cidr: string): TrafficSelector[] {
  const selector = fromCidr(cidr)
  return selector === null ? [] : [selector]
}

createInterface({ input: process.stdin }).on('line', (line) => {
  if (key === null) return
  if (line === 'rekeyIke' || line === 'checkLiveness') node.command({ kind: line, key })
  else if (line === 'deleteIke') node.command({ kind: 'deleteIke', key, reason: 'deletedLocally' })
})
