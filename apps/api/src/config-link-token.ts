/**
 * What is in a one-time link: the organization, so that the row is looked for behind its door, and 256 random bits. Two values
 * follow from the bits: a hash, which the database has, and a key, which nobody has but the link.
 */
import { drawOctets } from '@culvert/db'
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

export interface ConfigLinkToken {
  readonly text: string
  readonly organizationId: string
  /** 32 bytes. */
  readonly hash: Buffer
  /** 32 bytes; for one encryption. */
  readonly key: Buffer
}

const form = /^([a-z2-7]{20})\.([A-Za-z0-9_-]{43})$/

export function newToken(organizationId: string): ConfigLinkToken {
  return tokenOf(organizationId.replace(/^org_/, ''), drawOctets(32))
}

/** @returns null for text that no link has */
export function readToken(text: string): ConfigLinkToken | null {
  const [, organization, secret] = form.exec(text) ?? []
  return organization !== undefined && secret !== undefined
    ? tokenOf(organization, Buffer.from(secret, 'base64url'))
    : null
}

function tokenOf(organization: string, secret: Buffer): ConfigLinkToken {
  const derive = (use: string): Buffer => Buffer.from(hkdfSync('sha256', secret, '', `culvert config link ${use}`, 32))
  return {
    text: `${organization}.${secret.toString('base64url')}`,
    organizationId: `org_${organization}`,
    hash: derive('name'),
    key: derive('key'),
  }
}

/** What a link gives, bound to its row. */
export interface LinkedConfig {
  readonly text: string
  readonly mediaType: string
  readonly fileName: string
}

interface Binding {
  readonly id: string
  readonly deviceId: string
}

const nonceBytes = 12
const tagBytes = 16

/** @returns nonce, ciphertext, tag */
export function sealConfig({ key, organizationId }: ConfigLinkToken, binding: Binding, config: LinkedConfig): Buffer {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(aadOf(organizationId, binding))
  const plain = JSON.stringify({ text: config.text, mediaType: config.mediaType, fileName: config.fileName })
  return Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()])
}

/** @throws when the row is not what was stored for this link */
export function openConfig({ key, organizationId }: ConfigLinkToken, binding: Binding, sealed: Buffer): LinkedConfig {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes })
  decipher.setAAD(aadOf(organizationId, binding))
  decipher.setAuthTag(sealed.subarray(-tagBytes))
  const plain = Buffer.concat([decipher.update(sealed.subarray(nonceBytes, -tagBytes)), decipher.final()])
  return JSON.parse(plain.toString('utf8')) as LinkedConfig
}

function aadOf(organizationId: string, { id, deviceId }: Binding): Buffer {
  return Buffer.from(JSON.stringify(['config_links', organizationId, deviceId, id]))
}
