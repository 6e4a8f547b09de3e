/**
 * What `swanctl --list-sas --pretty` prints, as values. The text is a tree, one item a line:
 *
 * ```
 * list-sa event {
 *   gw {
 *     state = ESTABLISHED
 *     local-vips = [
 *       10.99.0.1
 *     ]
 *     child-sas {
 *       net-1 {
 * ```
 */

export interface ChildSaReport {
  readonly name: string
  readonly uniqueId: number
  readonly state: string
  readonly protocol: string
  readonly mode: string
  /** ESP travels inside UDP. */
  readonly encap: boolean
  /** Eight hexadecimal digits, as the peer names its inbound and outbound SA. */
  readonly spiIn: string
  readonly spiOut: string
  readonly encryption: string
  readonly integrity: string | null
  readonly keyExchange: string | null
  readonly packetsIn: number
  readonly packetsOut: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly localTs: readonly string[]
  readonly remoteTs: readonly string[]
  /** Every scalar by strongSwan's own name. */
  readonly attributes: Readonly<Record<string, string>>
}

export interface IkeSaReport {
  /** The connection's name in swanctl.conf. */
  readonly name: string
  readonly uniqueId: number
  readonly state: string
  readonly initiator: boolean
  readonly spiI: string
  readonly spiR: string
  readonly localHost: string
  readonly localPort: number
  readonly localId: string
  readonly remoteHost: string
  readonly remotePort: number
  readonly remoteId: string
  /** E.g. "AES_GCM_16-128", with the key length where there is one. */
  readonly encryption: string
  readonly integrity: string | null
  readonly prf: string | null
  readonly keyExchange: string | null
  readonly localVips: readonly string[]
  readonly remoteVips: readonly string[]
  readonly children: readonly ChildSaReport[]
  readonly attributes: Readonly<Record<string, string>>
}

interface Section {
  readonly values: Record<string, string>
  readonly lists: Record<string, string[]>
  readonly sections: Record<string, Section>
}

/** @param text all of the command's output; IKE SAs come in strongSwan's order */
export function parseSas(text: string): IkeSaReport[] {
  return readEvents(text).flatMap((event) => Object.entries(event.sections).map(([name, sa]) => ikeSa(name, sa)))
}

function readEvents(text: string): Section[] {
  const events: Section[] = []
  const open: Section[] = []
  let list: string[] | null = null
  for (const line of text.split('\n').map((raw) => raw.trim())) {
    const inner = open.at(-1)
    const [key, value] = split(line)
    if (list) {
      if (line === ']') list = null
      else list.push(line)
    } else if (line.endsWith('{')) {
      const section: Section = { values: {}, lists: {}, sections: {} }
      if (inner) inner.sections[line.slice(0, -1).trim()] = section
      else events.push(section)
      open.push(section)
    } else if (line === '}') open.pop()
    else if (inner && value === '[') inner.lists[key] = list = []
    else if (inner && key) inner.values[key] = value
  }
  return events
}

/** Values may hold "=" themselves (distinguished names). */
function split(line: string): [string, string] {
  const at = line.indexOf(' = ')
  return at < 0 ? ['', ''] : [line.slice(0, at), line.slice(at + 3)]
}

function ikeSa(name: string, { values, lists, sections }: Section): IkeSaReport {
  return {
    name,
    uniqueId: Number(values['uniqueid']),
    state: values['state'] ?? '',
    initiator: values['initiator'] === 'yes',
    spiI: values['initiator-spi'] ?? '',
    spiR: values['responder-spi'] ?? '',
    localHost: values['local-host'] ?? '',
    localPort: Number(values['local-port']),
    localId: values['local-id'] ?? '',
    remoteHost: values['remote-host'] ?? '',
    remotePort: Number(values['remote-port']),
    remoteId: values['remote-id'] ?? '',
    encryption: encryption(values),
    integrity: values['integ-alg'] ?? null,
    prf: values['prf-alg'] ?? null,
    keyExchange: values['dh-group'] ?? null,
    localVips: lists['local-vips'] ?? [],
    remoteVips: lists['remote-vips'] ?? [],
    children: Object.values(sections['child-sas']?.sections ?? {}).map(childSa),
    attributes: values,
  }
}

function childSa({ values, lists }: Section): ChildSaReport {
  return {
    name: values['name'] ?? '',
    uniqueId: Number(values['uniqueid']),
    state: values['state'] ?? '',
    protocol: values['protocol'] ?? '',
    mode: values['mode'] ?? '',
    encap: values['encap'] === 'yes',
    spiIn: values['spi-in'] ?? '',
    spiOut: values['spi-out'] ?? '',
    encryption: encryption(values),
    integrity: values['integ-alg'] ?? null,
    keyExchange: values['dh-group'] ?? null,
    packetsIn: Number(values['packets-in'] ?? 0),
    packetsOut: Number(values['packets-out'] ?? 0),
    bytesIn: Number(values['bytes-in'] ?? 0),
    bytesOut: Number(values['bytes-out'] ?? 0),
    localTs: lists['local-ts'] ?? [],
    remoteTs: lists['remote-ts'] ?? [],
    attributes: values,
  }
}

function encryption(values: Record<string, string>): string {
  const length = values['encr-keysize']
  return length ? `${values['encr-alg']}-${length}` : (values['encr-alg'] ?? '')
}
