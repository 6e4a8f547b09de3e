/**
 * Opens the one socket of an exchange, to addresses that were checked before and to nothing else: no name is looked up here.
 * Through a proxy the proxy is told the checked address, so that it does not resolve the name a second time.
 */
import net from 'node:net'
import tls from 'node:tls'
import { Client } from 'undici'
import { EgressError } from './failure.ts'
import { type Target } from './url.ts'

export interface EgressProxy {
  /** `http://proxy:3128` or `https://user:password@proxy`; from a setting, so its address is not judged. */
  readonly url: string
}

export interface Trust {
  /** Certificates (PEM) to trust instead of Node's own list. */
  readonly ca?: string
}

export interface Opened<S extends net.Socket = net.Socket> {
  readonly socket: S
  /** The address connected to, of those given. */
  readonly address: string
}

/** How long one address may take before the next is tried as well (RFC 8305 5). */
const attemptDelayMs = 250

/** @throws EgressError; on `signal` the socket is destroyed and the call rejects */
export async function openTcp(target: Target, addresses: readonly string[], signal: AbortSignal): Promise<Opened> {
  const entries = addresses.map((address) => ({ address, family: net.isIP(address) }))
  const socket = net.connect({
    host: target.host,
    port: target.port,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: attemptDelayMs,
    // Without a name there is no look-up; with one this is all that it will ever be.
    lookup: (_name, options, callback) =>
      options.all ? callback(null, entries) : callback(null, entries[0]?.address ?? '', entries[0]?.family ?? 4),
  })
  await settled(socket, 'connect', signal, (error) => connectFailed(target, error))
  const address = addresses.find((one) => sameAddress(one, socket.remoteAddress))
  if (address === undefined) {
    socket.destroy()
    throw new EgressError('address_refused', 'The connection did not go where it was meant to go.')
  }
  socket.setNoDelay(true)
  return { socket, address }
}

/** CONNECT (RFC 9110 9.3.6) to the first of the addresses, which are in the order to try. */
export async function openThroughProxy(
  proxy: EgressProxy,
  target: Target,
  address: string,
  signal: AbortSignal,
): Promise<Opened> {
  const { origin, username, password } = new URL(proxy.url)
  const client = new Client(origin, {
    connect: { timeout: 0, maxCachedSessions: 0 },
    allowH2: false,
    headersTimeout: 0,
  })
  const authority = `${net.isIPv6(address) ? `[${address}]` : address}:${target.port}`
  const login = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')
  const headers = { host: authority, ...(username !== '' && { 'proxy-authorization': `Basic ${login}` }) }
  try {
    const { statusCode, socket } = await client.connect({ path: authority, headers, signal })
    const tunnel = socket as net.Socket
    tunnel.on('error', () => undefined) // undici took its own listener away
    if (statusCode === 200) return { socket: tunnel, address }
    tunnel.destroy()
    throw new EgressError('proxy_failed', `The egress proxy refused the connection with status ${statusCode}.`)
  } catch (error) {
    void client.destroy()
    if (error instanceof EgressError || signal.aborted) throw error
    throw new EgressError('proxy_failed', 'The egress proxy could not be used.', { cause: error })
  }
}

/** TLS over a socket that stands, with the name of the URL for SNI and for the certificate. */
export async function secure(
  { socket }: Opened,
  target: Target,
  trust: Trust,
  signal: AbortSignal,
): Promise<tls.TLSSocket> {
  const encrypted = tls.connect({
    socket,
    host: target.host,
    servername: target.literal ? '' : target.host,
    ALPNProtocols: ['http/1.1'],
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true, // a variable of the environment could say otherwise
    ...trust,
  })
  await settled(encrypted, 'secureConnect', signal, tlsFailed)
  return encrypted
}

async function settled(
  socket: net.Socket,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal,
  explain: (error: NodeJS.ErrnoException | null) => EgressError,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const abort = (): void => {
      socket.destroy()
      reject(signal.reason as Error)
    }
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    socket.once(event, () => {
      signal.removeEventListener('abort', abort)
      resolve()
    })
    // Both stay: a socket without a listener for errors would end the process.
    socket.on('error', (error) => reject(explain(error)))
    socket.on('close', () => {
      signal.removeEventListener('abort', abort)
      reject(explain(null))
    })
  })
}

const connectFaults: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused the connection',
  EHOSTUNREACH: 'cannot be reached',
  ENETUNREACH: 'cannot be reached',
  ETIMEDOUT: 'did not answer',
  ECONNRESET: 'reset the connection',
}

function connectFailed({ host, port }: Target, error: NodeJS.ErrnoException | null): EgressError {
  const fault = connectFaults[error?.code ?? ''] ?? 'cannot be connected to'
  return new EgressError('connect_failed', `${host} ${fault} (port ${port}).`, { cause: error })
}

const tlsFaults: Readonly<Record<string, string>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate comes from an authority that is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate chain is not complete or not trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate chain is not complete or not trusted',
}

function tlsFailed(error: NodeJS.ErrnoException | null): EgressError {
  const fault = tlsFaults[error?.code ?? ''] ?? 'the handshake failed'
  return new EgressError('tls_failed', `No TLS with this host: ${fault}.`, { cause: error })
}

/** A socket says an address as the system does, which may be another spelling. */
function sameAddress(one: string, other: string | undefined): boolean {
  if (other === undefined) return false
  const list = new net.BlockList()
  list.addAddress(one, net.isIPv6(one) ? 'ipv6' : 'ipv4')
  return list.check(other, net.isIPv6(other) ? 'ipv6' : 'ipv4')
}
