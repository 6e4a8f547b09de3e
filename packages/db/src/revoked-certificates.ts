/** Serials on the revocation list. They outlive the device and its credentials, until the certificate would have expired. */
import { notify, signerChannel, type SqlRunner } from './notify.ts'

/** Puts revoked credentials on the list, certificates among them only, and tells the signer. */
export async function denySerials(
  tx: SqlRunner,
  revoked: readonly { readonly serial: string | null; readonly notAfter: Date | null }[],
): Promise<void> {
  const certificates = revoked.filter(({ serial, notAfter }) => serial !== null && notAfter !== null)
  if (certificates.length === 0) return
  await tx.query(
    `INSERT INTO revoked_certificates (serial, revoked_at, not_after)
     SELECT v.serial, now(), v.not_after FROM unnest($1::text[], $2::timestamptz[]) AS v(serial, not_after) ON CONFLICT DO NOTHING`,
    [certificates.map(({ serial }) => serial), certificates.map(({ notAfter }) => notAfter)],
  )
  await notify(tx, signerChannel, '')
}
