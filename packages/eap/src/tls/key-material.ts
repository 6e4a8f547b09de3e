/** The MSK of EAP-TLS (RFC 5216 2.3, RFC 9190 2.3): the first half of 128 octets exported from the TLS connection. */
import { InvariantError } from '@culvert/bytes'
import { EAP_TYPE } from '../packet.ts'
import type { TlsEnd } from './tls-end.ts'

const MSK_BYTES = 64
/** MSK and EMSK. With TLS 1.3 the length goes into the derivation, so both are exported although one is used. */
const MATERIAL_BYTES = 128
const TLS12_LABEL = 'client EAP encryption'
const TLS13_LABEL = 'EXPORTER_EAP_TLS_Key_Material'

/** @returns 64 octets that the caller owns. @throws InvariantError when no protocol was agreed */
export function exportMsk(end: TlsEnd): Uint8Array {
  const material = exportMaterial(end)
  const msk = material.slice(0, MSK_BYTES)
  material.fill(0)
  return msk
}

function exportMaterial(end: TlsEnd): Uint8Array {
  switch (end.protocol) {
    case 'TLSv1.3':
      return end.exportKey(MATERIAL_BYTES, TLS13_LABEL, Uint8Array.of(EAP_TYPE.TLS))
    case 'TLSv1.2':
      return end.exportKey(MATERIAL_BYTES, TLS12_LABEL)
    case null:
    default:
      throw new InvariantError('keys exported before the handshake, or of another TLS')
  }
}
