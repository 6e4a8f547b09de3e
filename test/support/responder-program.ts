/**
 * Our IKEv2 responder alone, without ESP, for a namespace: everybody with the secret attaches and gets the same address.
 * Prints one event a line as JSON; reads `deleteIke`, `rekeyIke`, `checkLiveness` from stdin.
 *
 * `node responder-program.ts <local address> <secret>`
 */
import { createInterface } from 'node:readline'
import { type Answer, type AttachmentKey, fromCidr, type Question, type TrafficSelector } from '@culvert/ikev2'
import { fqdn, startIkeNode } from './ike-node.ts'

const INNER_ADDRESS = '10.128.0.10'
const [local = '', secret = ''] = process.argv.slice(2)
let key: AttachmentKey | null = null

const node = startIkeNode(
  local,
  { localId: fqdn('concentrator.example') },
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
    const candidate = { kind: 'psk', id: 'crd_1', secret: new TextEncoder().encode(secret) } as const
    return { kind: 'credential', found: { subject, candidates: [candidate] } }
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

function selectors(cidr: string): TrafficSelector[] {
  const selector = fromCidr(cidr)
  return selector === null ? [] : [selector]
}

createInterface({ input: process.stdin }).on('line', (line) => {
  if (key === null) return
  if (line === 'rekeyIke' || line === 'checkLiveness') node.command({ kind: line, key })
  else if (line === 'deleteIke') node.command({ kind: 'deleteIke', key, reason: 'deletedLocally' })
})
