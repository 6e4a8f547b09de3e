/**
 * A certificate request as it arrives: one PEM block with a PKCS#10 request (RFC 2986) whose signature proves the key. The signer
 * judges it again; here it is judged so that the caller hears at once what is wrong with it.
 */
import { DomainError } from '@culvert/contracts'
import { checkCertificationRequest, FAULTS } from '@culvert/pki'

/** @returns the DER; @throws csr_refused */
export function readCsr(pem: string): Uint8Array {
  const blocks = [...pem.matchAll(/-----BEGIN ([A-Z0-9 ]{1,40})-----([^-]*)-----END ([A-Z0-9 ]{1,40})-----/g)]
  const [block] = blocks
  if (blocks.length !== 1 || !block) throw refused('is not one PEM block')
  const [, label = '', text = '', end = ''] = block
  if (label.includes('PRIVATE KEY'))
    throw refused('is a private key: keep it on the device and replace it, it has left it')
  if (label !== end || !/^(NEW )?CERTIFICATE REQUEST$/.test(label)) throw refused('is not a CERTIFICATE REQUEST')
  const base64 = text.replaceAll(/\s/g, '')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64) || base64.length % 4 !== 0) throw refused('is not base64')
  const der = new Uint8Array(Buffer.from(base64, 'base64'))
  const checked = checkCertificationRequest(der)
  if (!checked.ok) throw refused(FAULTS[checked.fault.code])
  return der
}

function refused(message: string): DomainError {
  return new DomainError('csr_refused', { errors: [{ in: 'body', pointer: '/csr', message }] })
}
