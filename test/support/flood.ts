/**
 * Sends hostile UDP datagrams to both ports of a concentrator: random bytes, and messages of real daemons with random damage.
 *
 * `node flood.ts <address> <count> <seed>`: half goes to port 500, half to 4500 (most of the captured ones carry the non-ESP
 * marker). Paced by the socket's own back pressure; the same seed sends the same datagrams.
 */
import dgram from 'node:dgram'
import { once } from 'node:events'
import { mutate } from '../fuzz/mutate.ts'
import { seededRandom } from '../fuzz/random.ts'
import { loadDatagrams } from '../vectors/capture-scenario.ts'

const [address = '', count = '', seed = ''] = process.argv.slice(2)
const random = seededRandom(Number(seed))
const samples = ['01-psk-x25519-gcm128', '02-psk-modp2048-cbc256-sha256', '12-ike-rekey-initiator'].flatMap(
  (scenario) => loadDatagrams(scenario).map(({ payload }) => payload),
)
const socket = dgram.createSocket('udp4').bind(0)
await once(socket, 'listening')
for (let sent = 0; sent < Number(count); sent++) {
  const bytes = random.oneIn(4) ? random.bytes(random.below(300)) : mutate(random.pick(samples), random, samples)
  await new Promise<void>((done) =>
    socket.send(bytes.subarray(0, 1400), random.oneIn(2) ? 500 : 4500, address, () => done()),
  )
}
socket.close()
process.stdout.write(`${count} sent\n`)
