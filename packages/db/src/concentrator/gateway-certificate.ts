/**
 * The certificates a concentrator shows to devices that do not share a key with it, one for each kind of key.
 *
 * The node makes keys for every process life, writes their public halves here and waits for the signer, which says so on the node's
 * channel. Nothing is lost when that takes long: until then it serves devices with shared keys. Ask again with the same or a new
 * key before the certificate ends.
 */
import type { Pool } from 'pg'
import { notify, signerChannel } from '../notify.ts'
import { inTransaction } from '../transaction.ts'

export interface GatewayCertificate {
  readonly issuance: 'pending' | 'issued' | 'refused'
  /** PEM, the node's own first, without the root; only when issued. */
  readonly certificates: string | null
  readonly notAfter: Date | null
  readonly refusal: string | null
}

export type GatewayKeyKind = 'p256' | 'rsa2048'

/** @param publicKey SubjectPublicKeyInfo, DER; the names come from the row that `registerConcentrator` wrote */
export async function requestGatewayCertificate(
  pool: Pool,
  nodeId: string,
  publicKey: Uint8Array,
  keyKind: GatewayKeyKind = 'p256',
): Promise<void> {
  await inTransaction(pool, async (tx) => {
    await tx.query(
      `INSERT INTO gateway_certificates (concentrator_id, key_kind, public_key, issuance) VALUES ($1, $3, $2, 'pending')
       ON CONFLICT (concentrator_id, key_kind) DO UPDATE SET public_key = excluded.public_key, issuance = 'pending', certificates = NULL,
         serial = NULL, fingerprint = NULL, not_after = NULL, refusal = NULL, requested_at = now()`,
      [nodeId, Buffer.from(publicKey), keyKind],
    )
    await notify(tx, signerChannel, '')
  })
}

/** @returns what became of the request with this key, null when there is none */
export async function readGatewayCertificate(
  pool: Pool,
  nodeId: string,
  publicKey: Uint8Array,
): Promise<GatewayCertificate | null> {
  const { rows } = await pool.query<GatewayCertificate>(
    `SELECT issuance, certificates, not_after AS "notAfter", refusal FROM gateway_certificates
     WHERE concentrator_id = $1 AND public_key = $2`,
    [nodeId, Buffer.from(publicKey)],
  )
  return rows[0] ?? null
}
