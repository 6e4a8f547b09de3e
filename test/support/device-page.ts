/**
 * What a test device offers on its inner address: a page, a file to fetch, and a place to send one to.
 *
 * `node device-page.ts <address> <port> <file>`: GET / greets, GET /file streams the file, PUT / answers the SHA-256 of the body,
 * GET /slow sends a line and keeps the connection open.
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import http from 'node:http'
import { pipeline } from 'node:stream/promises'

const [address = '', port = '', file = ''] = process.argv.slice(2)

const server = http.createServer((request, response) => {
  if (request.method === 'PUT') {
    const hash = createHash('sha256')
    pipeline(request, hash).then(
      () => response.end(hash.digest('hex')),
      () => response.destroy(),
    )
  } else if (request.url === '/file') {
    response.writeHead(200, { 'content-length': fs.statSync(file).size })
    pipeline(fs.createReadStream(file), response).catch(() => response.destroy())
  } else if (request.url === '/slow') {
    response.write('still here\n')
  } else {
    response.end(`hello from the device at ${address}\n`)
  }
})
server.listen(Number(port), address, () => process.stdout.write('page ready\n'))
