/** Where a secret goes: itself while it is known, else a marker that names the field of the answer to put there. */
import type { DeviceConfigModel, Secrets } from './model.ts'

export const markers = { psk: '@CULVERT-PSK@', eap: '@CULVERT-PASSWORD@', ppk: '@CULVERT-PPK@' } as const

/** Text as it is, or in the words of strongSwan and libreswan: bytes in hexadecimal, which need no quoting. */
export type SecretForm = 'text' | 'hex'

/** @param quote how the target writes text; applied to a secret, never to a marker, whose characters are harmless in all of them */
export function secretText(secrets: Secrets, kind: keyof typeof markers, quote: (text: string) => string): string {
  const known = secrets[kind]
  return known === undefined || known === null ? markers[kind] : quote(known)
}

/** A key that begins with 0x or 0s is not taken for an encoding. @param text ASCII */
export function hexSecret(text: string): string {
  return `0x${plainHex(text)}`
}

export function plainHex(text: string): string {
  return Array.from(text, (character) => character.charCodeAt(0).toString(16).padStart(2, '0')).join('')
}

/** What is still to be put in, as sentences for the head of a file. */
export function markerNotes(model: DeviceConfigModel, form: SecretForm): string[] {
  const { proof, ppk, secrets } = model
  const kinds = [...(proof.kind === 'certificate' ? [] : [proof.kind]), ...(ppk ? (['ppk'] as const) : [])]
  const open = kinds.filter((kind) => secrets[kind] === undefined || secrets[kind] === null)
  return open.map((kind) => {
    const field = form === 'hex' ? '"swanctl.secret"' : `"${fieldNames[kind]}"`
    return `Replace ${markers[kind]} by the ${field} that was shown when the credential was issued.`
  })
}

const fieldNames = { psk: 'psk', eap: 'password', ppk: 'ppk' } as const
