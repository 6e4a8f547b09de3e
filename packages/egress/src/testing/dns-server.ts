/** A name server (RFC 1035) on loopback that answers what the test says, anew for every question. */
import dgram from 'node:dgram'
import { once } from 'node:events'

export interface DnsServer {
  /** `127.0.0.1:port` */
  readonly server: string
  /** Every question so far, `A name` or `AAAA name`. */
  readonly questions: readonly string[]
  close(): Promise<void>
}

const typeA = 1
const typeAaaa = 28
const notFound = 3

/** @param answers the addresses of a name at this moment; null: no such name; undefined: silence */
export async function startDnsServer(
  answers: (name: string) => readonly string[] | null | undefined,
): Promise<DnsServer> {
  const socket = dgram.createSocket('udp4')
  const questions: string[] = []
  socket.on('message', (query, from) => {
    const { name, type, end } = readQuestion(query)
    if (type === typeA) questions.push(name)
    const found = answers(name)
    if (found === undefined) return
    const records = (found ?? []).map(addressBytes).filter((bytes) => bytes.length === (type === typeAaaa ? 16 : 4))
    const header = Buffer.alloc(12)
    query.copy(header, 0, 0, 2)
    header.writeUInt16BE(0x8180 | (found === null ? notFound : 0), 2)
    header.writeUInt16BE(1, 4)
    header.writeUInt16BE(records.length, 6)
    socket.send(
      Buffer.concat([header, query.subarray(12, end), ...records.map((bytes) => record(type, bytes))]),
      from.port,
    )
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return {
    server: `127.0.0.1:${socket.address().port}`,
    questions,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  }
}

function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = []
  let offset = 12
  for (let length = query.readUInt8(offset); length > 0; length = query.readUInt8(offset)) {
    labels.push(query.toString('latin1', offset + 1, offset + 1 + length))
    offset += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(offset + 1), end: offset + 5 }
}

/** Points to the question for its name; class IN, time to live 0. */
function record(type: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, bytes.length]), bytes])
}

function addressBytes(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail = ''] = address.split('::')
  const groups = (part: string): string[] => part.split(':').filter((group) => group !== '')
  const missing = 8 - groups(head).length - groups(tail).length
  const all = [...groups(head), ...Array.from({ length: missing }, () => '0'), ...groups(tail)]
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex')
}
