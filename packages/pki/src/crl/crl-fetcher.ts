/**
 * Fetches lists of revoked certificates, for those who turn it on by making one.
 *
 * A certificate must not make a server call where its maker likes (N14, RFC 8019 4.7): http only, hosts of an allow list, the name is
 * resolved once and every address must be public, the connection goes to the address that was checked, redirects are
 * failures, size and time are bounded, a URL is asked for once at a time and not again too soon. Lists need no TLS: they are signed. OCSP and hash-and-URL
 * are not there at all.
 */
import { lookup } from 'node:dns/promises'
import http from 'node:http'
import { fault, good, type Result } from '../fault.ts'
import { cidr, isPublicAddress } from './public-address.ts'
import { MAX_CRL_BYTES } from './read-crl.ts'

export interface CrlFetcherOptions {
  /** Hosts as they stand in a URL, with a port when it is not 80. */
  readonly allow: readonly string[]
  /** Left out: what `readCrl` takes. */
  readonly maxBytes?: number
  /** For name, connection and body together. Left out: 5 s. */
  readonly timeoutMs?: number
  /** For so long the last outcome stands. Left out: 5 minutes. */
  readonly minIntervalMs?: number
  /** Prefixes that may be connected to although they are not public. */
  readonly alsoAddresses?: readonly string[]
  /** All addresses of a host; left out: those of the system. */
  readonly resolve?: (host: string) => Promise<readonly string[]>
  /**
   * Makes the call to a URL of the list in its own way, with a guard of its own: then the addresses are its matter. It rejects for
   * everything but a whole answer of status 200, and keeps to both bounds.
   */
  readonly download?: (url: string, bounds: { maxBytes: number; timeoutMs: number }) => Promise<Uint8Array>
}

export interface CrlFetcher {
  /** @returns the octets, unchecked; faults `notAllowed` and `fetchFailed`. Never rejects. */
  fetch(url: string, nowMs: number): Promise<Result<Uint8Array>>
}

const DEFAULT_TIMEOUT_MS = 5_000
const DEFAULT_INTERVAL_MS = 300_000
const MAX_URL_CHARS = 1_024
const MAX_REMEMBERED = 32

/** @throws TypeError for a prefix that is none. */
export function createCrlFetcher(options: CrlFetcherOptions): CrlFetcher {
  const { minIntervalMs = DEFAULT_INTERVAL_MS } = options
  const settings: Settings = {
    allow: new Set(options.allow.map((host) => host.toLowerCase())),
    also: (options.alsoAddresses ?? []).map(cidr),
    maxBytes: options.maxBytes ?? MAX_CRL_BYTES,
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    resolve: options.resolve ?? resolveBySystem,
    download: options.download ?? null,
  }
  const outcomes = new Map<string, { readonly atMs: number; readonly result: Promise<Result<Uint8Array>> }>()
  return {
    async fetch(text, nowMs) {
      const url = allowedUrl(text, settings)
      if (url === null) return fault('notAllowed', null, text)
      const known = outcomes.get(url.href)
      if (known !== undefined && nowMs - known.atMs < minIntervalMs) return known.result
      for (const [href, { atMs }] of outcomes) if (nowMs - atMs >= minIntervalMs) outcomes.delete(href)
      const [oldest] = outcomes.keys()
      if (outcomes.size >= MAX_REMEMBERED && oldest !== undefined) outcomes.delete(oldest)
      const result = fetchOnce(url, settings)
      outcomes.set(url.href, { atMs: nowMs, result })
      return result
    },
  }
}

interface Settings {
  readonly allow: ReadonlySet<string>
  readonly also: Parameters<typeof isPublicAddress>[1]
  readonly maxBytes: number
  readonly timeoutMs: number
  readonly resolve: (host: string) => Promise<readonly string[]>
  readonly download: CrlFetcherOptions['download'] | null
}

/** URL turns other spellings of an address into the usual one, so the list and the check see what is connected to. */
function allowedUrl(text: string, { allow }: Settings): URL | null {
  if (text.length > MAX_URL_CHARS || !URL.canParse(text)) return null
  const url = new URL(text)
  const isPlain = url.protocol === 'http:' && url.username === '' && url.password === ''
  return isPlain && allow.has(url.host) ? url : null
}

async function fetchOnce(url: URL, settings: Settings): Promise<Result<Uint8Array>> {
  const signal = AbortSignal.timeout(settings.timeoutMs)
  try {
    if (settings.download) return good(await settings.download(url.href, settings))
    const host = url.hostname.replaceAll(/[[\]]/g, '')
    const addresses = await withSignal(settings.resolve(host), signal)
    const [address] = addresses
    // One address that is not public says that somebody plays with the name.
    if (address === undefined) return fault('fetchFailed', null, `${url.host}: no address`)
    if (!addresses.every((each) => isPublicAddress(each, settings.also))) return fault('notAllowed', null, url.host)
    return good(await download(url, { address, signal, maxBytes: settings.maxBytes }))
  } catch (error) {
    return fault('fetchFailed', null, `${url.host}: ${error instanceof Error ? error.message : 'failed'}`)
  }
}

interface Download {
  readonly address: string
  readonly signal: AbortSignal
  readonly maxBytes: number
}

async function download(url: URL, { address, signal, maxBytes }: Download): Promise<Uint8Array> {
  const request = http.request({
    host: address,
    port: url.port === '' ? 80 : Number(url.port),
    path: `${url.pathname}${url.search}`,
    headers: { host: url.host, accept: 'application/pkix-crl' },
    agent: false,
    signal,
  })
  try {
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      request.once('response', resolve).on('error', reject).end()
    })
    if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`)
    const chunks: Uint8Array[] = []
    let bytes = 0
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > maxBytes) throw new Error('too large')
      chunks.push(chunk)
    }
    return new Uint8Array(Buffer.concat(chunks))
  } finally {
    request.destroy()
  }
}

async function resolveBySystem(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address)
}

/** A lookup cannot be called off, but nobody has to wait for it. */
async function withSignal<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('timed out')), { once: true })
    work.then(resolve, reject)
  })
}
