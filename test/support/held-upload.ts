/**
 * A transfer that a test holds in its hands: one PUT to a page (`device-page.ts`) over one connection, piece by piece, by curl in a
 * namespace of a lab.
 */
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { type Namespace, peer } from '@culvert/testkit'
import type { Closings } from './closings.ts'

const MOST_SECONDS = '150'

export interface HeldUpload {
  /** Hands over so many octets more; they are under way when this returns. */
  send(bytes: number): void
  /** @returns the hashes of what was sent and of what arrived, or what curl said of it */
  end(): Promise<{ readonly sent: string; readonly arrived: string }>
}

export async function startUpload(from: Namespace, url: string, closings: Closings): Promise<HeldUpload> {
  const { env } = await peer('curl')
  const words = ['--silent', '--show-error', '--fail', '--max-time', MOST_SECONDS, '--upload-file', '-', `${url}/held`]
  const curl = spawn('ip', ['netns', 'exec', from.name, 'curl', ...words], { env, stdio: ['pipe', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [curl.stdout, curl.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  }
  curl.stdin.on('error', () => {}) // it may have ended
  const ended = new Promise<void>((resolve) => curl.once('close', () => resolve()))
  closings.add(async () => {
    curl.kill('SIGKILL')
    await ended
  })
  const hash = createHash('sha256')
  return {
    send(bytes) {
      const piece = randomBytes(bytes)
      hash.update(piece)
      curl.stdin.write(piece)
    },
    async end() {
      curl.stdin.end()
      await ended
      return { sent: hash.digest('hex'), arrived: output }
    },
  }
}
