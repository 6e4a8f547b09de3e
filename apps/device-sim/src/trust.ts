/** Does the certificate of a gateway speak for the gateway that was meant (RFC 7296 3.5)? */
import { CERT_ENCODING, type Answer, type Question } from '@culvert/ikev2'
import { bindIdentity, validateChain, type TrustAnchors } from '@culvert/pki'

export function trustAnswer(
  { certificates, idR }: Extract<Question, { kind: 'trust' }>,
  anchors: TrustAnchors | undefined,
): Answer {
  if (anchors === undefined) return { kind: 'trust', key: null }
  const chain = certificates.filter(({ encoding }) => encoding === CERT_ENCODING.X509_SIGNATURE).map(({ data }) => data)
  const valid = validateChain(chain, { anchors, atMs: Date.now(), purpose: 'gateway' })
  const isBound = valid.ok && bindIdentity(valid.value.certificate, idR).ok
  return { kind: 'trust', key: isBound ? valid.value.key : null }
}
