/** Authorities of organizations, read once for many devices. What is kept says only who signed what: it may serve any organization. */
import { fromPem, trustAnchors, type TrustAnchors } from '@culvert/pki'

/** Read at a time. */
const MOST_AUTHORITIES = 256
/** Each remembers so many authorities below it. Its owner can make any number, of 8 KiB each, and others have to share the memory. */
const MOST_BELOW_ONE = 4

export interface ForeignAuthorities {
  /** @param certificate PEM of one @returns null when it cannot be used */
  of(certificate: string): TrustAnchors | null
}

export function createForeignAuthorities(): ForeignAuthorities {
  /** The one used last is the last. */
  const known = new Map<string, TrustAnchors | null>()
  return {
    of(certificate) {
      const found = known.get(certificate)
      const anchors = found === undefined ? read(certificate) : found
      known.delete(certificate)
      known.set(certificate, anchors)
      const [oldest] = known.keys()
      if (known.size > MOST_AUTHORITIES && oldest !== undefined) known.delete(oldest)
      return anchors
    },
  }
}

function read(certificate: string): TrustAnchors | null {
  const [der, ...more] = fromPem(certificate, 'CERTIFICATE') ?? []
  const anchors = der !== undefined && more.length === 0 ? trustAnchors([der], MOST_BELOW_ONE) : null
  return anchors?.ok ? anchors.value : null
}
