/** Credentials as an attaching device needs them: what its proof is compared with. */

/** Opened with the node's sealing key, bound to organization, device and credential (`openSecret`). */
interface Sealed {
  readonly sealedSecret: Uint8Array
  readonly sealingKeyId: string
}

export type CredentialForAttach =
  /** The secret is the shared key's bytes. */
  | ({ readonly kind: 'psk'; readonly id: string } & Sealed)
  /**
   * Only a certificate with exactly this fingerprint (SHA-256 of its DER, hexadecimal) counts, by signature or EAP-TLS: one of this
   * installation's authorities, or, by signature alone, one below `authority` (PEM) and no other.
   */
  | {
      readonly kind: 'certificate'
      readonly id: string
      readonly fingerprint: string
      readonly authority: string | null
    }
  /** The secret is the password in UTF-8; `identity` is the user name, of this credential alone. */
  | ({ readonly kind: 'eap'; readonly id: string; readonly method: 'mschapv2'; readonly identity: string } & Sealed)
  /** RFC 8784; the secret is the PPK's bytes, `identity` the PPK_ID without its type octet (send and expect type 2). */
  | ({ readonly kind: 'ppk'; readonly id: string; readonly identity: string; readonly isRequired: boolean } & Sealed)

export interface CredentialRow {
  readonly id: string
  readonly kind: 'psk' | 'certificate' | 'eap' | 'ppk'
  readonly method: 'mschapv2' | null
  readonly identity: string | null
  readonly isRequired: boolean | null
  readonly fingerprint: string | null
  readonly serial: string | null
  /** PEM. */
  readonly authority: string | null
  /** Hexadecimal. */
  readonly sealedSecret: string | null
  readonly sealingKeyId: string | null
}

/** Constraints of the table say which columns a kind has; a row without them is left out. */
export function credentialOf(row: CredentialRow): CredentialForAttach | null {
  const { id, kind, method, identity, isRequired, fingerprint, serial, authority, sealedSecret, sealingKeyId } = row
  if (kind === 'certificate') return fingerprint && (serial || authority) ? { kind, id, fingerprint, authority } : null
  if (!sealedSecret || !sealingKeyId) return null
  const sealed = { sealedSecret: Buffer.from(sealedSecret, 'hex'), sealingKeyId }
  if (kind === 'psk') return { kind, id, ...sealed }
  if (identity === null) return null
  if (kind === 'eap') return method ? { kind, id, method, identity, ...sealed } : null
  return { kind, id, identity, isRequired: isRequired ?? false, ...sealed }
}

/** @returns the IKE identity of the device to which an EAP user name belongs: `<credential>.<identity>` */
export function identityOfUserName(userName: string): string {
  return userName.slice(userName.indexOf('.') + 1)
}
