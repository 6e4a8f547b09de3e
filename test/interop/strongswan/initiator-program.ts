/**
 * Our IKEv2 initiator alone, without ESP, for a namespace with a strongSwan responder: reads one command a line from stdin and
 * prints one event a line.
 *
 * `node initiator-program.ts <local address> <remote address>`; commands: `rekeyChild`, `rekeyIke`, `checkLiveness`, `deleteIke`.
 */
import { createInterface } from 'node:readline'
import { type AttachmentKey, type Command, fromCidr } from '@culvert/ikev2'
import { fqdn, startIkeNode } from '../../support/ike-node.ts'

const IKE_PORT = 500

const [local = '', remote = ''] = process.argv.slice(2)
let key: AttachmentKey | null = null
const node = startIkeNode(
  local,
  { localId: fqdn('one.devices.example') },
  {
    onEvent(event) {
      if (event.kind === 'established') key = event.key
      const reason = 'reason' in event ? ` ${event.reason}` : ''
      process.stdout.write(`${event.kind}${reason} ${node.children.size}\n`)
    },
  },
)

function commandOf(line: string): Command | null {
  const [spiIn] = node.children.keys()
  if (key === null) return null
  if (line === 'rekeyChild') return spiIn === undefined ? null : { kind: line, key, spiIn }
  if (line === 'rekeyIke' || line === 'checkLiveness') return { kind: line, key }
  return line === 'deleteIke' ? { kind: line, key, reason: 'shutdown' } : null
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const command = commandOf(line)
  if (command !== null) node.command(command)
})

const anywhere = fromCidr('0.0.0.0/0')
if (anywhere === null) throw new Error('a constant')
node.command({
  kind: 'initiate',
  peer: {
    path: { local: { address: local, port: IKE_PORT }, remote: { address: remote, port: IKE_PORT } },
    localId: fqdn('one.devices.example'),
    remoteId: fqdn('concentrator.example'),
    proof: { kind: 'psk', secret: new TextEncoder().encode('a secret of two peers') },
    tsLocal: [anywhere],
    tsRemote: [anywhere],
    requestAddress: { ip4: true, ip6: false },
    label: 'one',
  },
})
