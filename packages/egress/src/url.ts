/**
 * The rules for a URL that can be told without DNS. There is one parser, WHATWG's: what it makes of a host (decimal, octal,
 * hexadecimal and short IPv4, full-width digits, percent signs, upper case, names in other scripts) is what is judged, and the
 * normalised text is what is connected to, so that no second reading exists.
 */
import { isIP } from 'node:net'
import { type AddressPolicy } from './address-policy.ts'
import { EgressError } from './failure.ts'

/** Ports from `from` to `to`, both included. */
export interface PortRange {
  readonly from: number
  readonly to: number
}

export interface UrlRules {
  readonly addresses: AddressPolicy
  readonly allowHttp: boolean
  readonly ports: readonly PortRange[]
}

/** Where an exchange goes. */
export interface Target {
  readonly url: URL
  readonly secure: boolean
  /** A name in ASCII without a dot at its end, or an address without brackets. */
  readonly host: string
  readonly port: number
  /** The host is an address. */
  readonly literal: boolean
}

const maxUrlCharacters = 2048
const maxNameCharacters = 253

/** @throws EgressError when the URL breaks a rule */
export function parseTarget(text: string, rules: UrlRules): Target {
  const url = parse(text)
  const secure = url.protocol === 'https:'
  if (!secure && !(url.protocol === 'http:' && rules.allowHttp)) {
    throw new EgressError('scheme_refused', `The URL must begin with https://${rules.allowHttp ? ' or http://' : ''}.`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new EgressError('credentials_refused', 'The URL must not hold a user name or password.')
  }
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port)
  if (!rules.ports.some(({ from, to }) => port >= from && port <= to)) {
    throw new EgressError('port_refused', `Port ${port} is not allowed; allowed: ${portsText(rules.ports)}.`)
  }
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const literal = isIP(host) !== 0
  if (literal) requireAllowed(host, rules.addresses)
  return { url, secure, host: literal ? host : checkName(url), port, literal }
}

/** @returns `443, 8443, 9000-9100` */
export function portsText(ports: readonly PortRange[]): string {
  return ports.map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`)).join(', ')
}

function parse(text: string): URL {
  // Parsers differ in what they make of these (a backslash ends the host for some and not for others), so none may stand here.
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (text.length > maxUrlCharacters || /[\u0000-\u0020\u007f\\]/.test(text)) {
    const rule = `at most ${maxUrlCharacters} characters, without spaces, control characters and backslashes`
    throw new EgressError('invalid_url', `The URL must have ${rule}.`)
  }
  const url = URL.parse(text)
  if (!url) throw new EgressError('invalid_url', 'This is not a URL such as https://hooks.example.com/culvert.')
  url.hash = ''
  return url
}

function requireAllowed(address: string, addresses: AddressPolicy): void {
  if (!addresses.allows(address)) {
    throw new EgressError('address_refused', 'The URL names an address that is not on the public Internet.')
  }
}

/** Takes the dot at the end away: it is not part of the name in certificates and SNI (RFC 6066 3). */
function checkName(url: URL): string {
  const name = url.hostname.replace(/\.$/, '')
  url.hostname = name
  const labels = name.split('.')
  if (name.length > maxNameCharacters || !labels.every((label) => /^[a-z0-9_-]{1,63}$/.test(label))) {
    throw new EgressError('invalid_url', 'The host of the URL is not a name.')
  }
  if (labels.length < 2 || labels.at(-1) === 'localhost') {
    throw new EgressError('host_refused', `The host ${name} is not a name on the public Internet.`)
  }
  return name
}
