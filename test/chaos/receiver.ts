/**
 * A receiver of webhooks with an endpoint for each temper: `node receiver.ts <address> <port> <file> <seed>`. Which deliveries it
 * treats badly, and how often, comes from the seed and the delivery's id. Every request is written to the file before it is
 * answered. SIGUSR2 makes it good for ever, and resets what hangs.
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import http from 'node:http'
import { type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { dice } from './dice.ts'
import { rulePath, tempers, type Receipt } from './temper.ts'

const [address = '127.0.0.1', port = '0', file = 'receipts', seed = '1'] = process.argv.slice(2)
const receipts = fs.openSync(file, 'a')
const attempts = new Map<string, number>()
const hanging = new Set<Socket>()
let isMerciful = false

process.on('SIGUSR2', () => {
  isMerciful = true
  for (const socket of hanging) socket.resetAndDestroy()
})

/** @returns how many attempts of this delivery come to nothing */
function bad(temper: Receipt['temper'], id: string): number {
  if (isMerciful || temper === 'good' || temper === 'slow') return 0
  const random = dice(createHash('sha256').update(`${seed} ${temper} ${id}`).digest().readUInt32BE(0))
  if (temper === 'hanging' || temper === 'rule') return random.below(12) === 0 ? 1 : 0
  return random.below(3)
}

const server = http.createServer((request, response) => {
  void receive(request, response).catch(() => request.destroy())
})

async function receive(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const body = await text(request)
  const temper = request.url === rulePath ? 'rule' : (tempers.find((one) => request.url === `/${one}`) ?? 'good')
  const id = String(request.headers[temper === 'rule' ? 'idempotency-key' : 'webhook-id'])
  const key = `${temper} ${id}`
  const attempt = (attempts.get(key) ?? 0) + 1
  attempts.set(key, attempt)
  const isAccepted = attempt > bad(temper, id)
  const receipt: Receipt = { temper, headers: request.headers as Record<string, string>, body, isAccepted }
  fs.writeSync(receipts, `${JSON.stringify(receipt)}\n`)
  if (isAccepted) {
    if (temper === 'slow') await pause(300)
    response.writeHead(204).end()
  } else if (temper === 'failing' || temper === 'rule') response.writeHead(500).end('not today')
  else if (temper === 'resetting') request.socket.resetAndDestroy()
  else hanging.add(request.socket.on('close', () => hanging.delete(request.socket)))
}

server.listen(Number(port), address, () => process.stdout.write('receiver ready\n'))
