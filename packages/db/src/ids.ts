/** Ids: a prefix that says what it names, and 100 random bits. The prefix never decides who may see the thing. */
import { drawOctets } from './draw.ts'

export type IdPrefix =
  | 'mem'
  | 'usr'
  | 'ses'
  | 'grt'
  | 'org'
  | 'net'
  | 'dev'
  | 'crd'
  | 'aut'
  | 'tun'
  | 'prt'
  | 'con'
  | 'evt'
  | 'att'
  | 'aud'
  | 'opn'
  | 'cfl'
  | 'ssh'
  | 'uth'
  | 'whe'
  | 'whk'
  | 'whd'
  | 'rul'
  | 'run'

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'
export const idLength = 20

/** @returns `prefix_` and 20 characters of lower-case base32 */
export function newId(prefix: IdPrefix): string {
  const bytes = drawOctets(idLength)
  let text = `${prefix}_`
  for (const byte of bytes) text += alphabet[byte & 31]
  return text
}

/** @returns the random part of an id, which names the thing inside IKE identities */
export function idSuffix(id: string): string {
  return id.slice(id.indexOf('_') + 1)
}
