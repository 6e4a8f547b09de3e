/**
 * A certificate request as it arrives: one PEM block with one DER value in it. What the value means (RFC 2986), whether its
 * signature proves the key and whether the key is good enough is judged by the signer.
 */
import { DomainError } from '@culvert/contracts'

const largestDerBytes = 8_192

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
  if (der.length > largestDerBytes) throw refused(`has more than ${largestDerBytes} bytes`)
  if (!isOneSequence(der)) throw refused('is not one DER value')
  return der
}

/** X.690 8.1.3, long form of at most two length octets, which is enough for what is accepted. */
function isOneSequence(der: Uint8Array): boolean {
  const [tag, first = 0, second = 0, third = 0] = der
  if (tag !== 0x30) return false
  if (first < 0x80) return der.length === 2 + first
  if (first === 0x81) return der.length === 3 + second
  return first === 0x82 && der.length === 4 + second * 256 + third
}

function refused(message: string): DomainError {
  return new DomainError('csr_refused', { errors: [{ in: 'body', pointer: '/csr', message }] })
}
