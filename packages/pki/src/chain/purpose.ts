/**
 * What the key of a certificate may be used for (RFC 5280 4.2.1.3, 4.2.1.12; RFC 4945 5.1.3.2, 5.1.3.12).
 *
 * No extended key usage means any. When there is one, it must hold a purpose of IKE, and so must that of every authority above
 * which has one: an authority for mail makes no devices.
 */
import { KEY_USAGE } from '../certificate/extensions.ts'
import type { Certificate } from '../certificate/read-certificate.ts'
import { OID, type Oid } from '../der/object-identifier.ts'

/** `device`: of a peer that comes to us; `gateway`: of one that we go to. */
export type Purpose = 'device' | 'gateway'

const PURPOSES: Readonly<Record<Purpose, readonly Oid[]>> = {
  device: [OID.clientAuth, OID.ipsecIke, OID.ikeIntermediate, OID.anyExtendedKeyUsage],
  gateway: [OID.serverAuth, OID.ipsecIke, OID.ikeIntermediate, OID.anyExtendedKeyUsage],
}

export function servesPurpose({ extensions }: Certificate, purpose: Purpose): boolean {
  const usages = extensions.extendedKeyUsage
  return usages === null || usages.some((usage) => PURPOSES[purpose].includes(usage))
}

export function maySign({ extensions }: Certificate): boolean {
  const { keyUsage } = extensions
  return keyUsage === null || (keyUsage & (KEY_USAGE.digitalSignature | KEY_USAGE.nonRepudiation)) !== 0
}
