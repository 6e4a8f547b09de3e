/**
 * Answers the core's question "who is this?": what the claimed identity may prove itself with, by the kind of proof it wants to
 * give, and a decoy for everybody else (N26).
 *
 * The same is looked up, parsed and verified for a stranger as for a device: a chain is judged before it is known whose it is,
 * and EAP is spoken with everybody. Authorities of an organization come with the record of its device, and count for that one alone:
 * whoever shows a certificate of another authority and has none here has a signature on it checked with a key of nobody. Whoever needs
 * our certificate waits until we have one, and whoever shows one whose signatures are dear to check until its source may again.
 */
import { createHash } from 'node:crypto'
import { wipeDevice, type CachedDevice, type DearProofs } from '@culvert/concentrator-core'
import { verifyingKey, type DecoyKeys, type VerifyingKey } from '@culvert/crypto'
import { CERT_ENCODING, type Answer, type FoundCredential, type Identity, type Question } from '@culvert/ikev2'
import { bindIdentity, FAULTS, isDearChain, pretendChain, readCertificate, validateChain } from '@culvert/pki'
import type { AttemptReason } from '@culvert/lifecycle'
import type { Trust } from './authority-book.ts'
import type { CredentialDesk } from './credential-desk.ts'
import { createForeignAuthorities } from './foreign-authorities.ts'
import type { Realm } from './realm.ts'

type CredentialQuestion = Extract<Question, { kind: 'credential' }>
type CredentialAnswer = Extract<Answer, { kind: 'credential' }>

/** PPK_ID_FIXED (RFC 8784 5.1). */
const PPK_ID_FIXED = 2

/** Why a claim is going to fail, for people. */
export interface Doubt {
  readonly reason: AttemptReason
  readonly detail: string
  /** Fingerprint of the certificate that was shown, where it is none of the device's valid credentials: it may have been one. */
  readonly certificate?: string
}

export interface CredentialAnswers {
  /** @returns null when it cannot be known now: the peer asks again. */
  answer(question: CredentialQuestion): Promise<CredentialAnswer | null>
}

export function createCredentialAnswers(options: {
  desk: CredentialDesk
  realm: Realm
  decoys: DecoyKeys
  dearProofs: Pick<DearProofs, 'take' | 'claimed'>
  /** A device's identity is claimed; null for no doubt of ours. */
  onClaim: (idI: Identity, device: CachedDevice, doubt: Doubt | null) => void
}): CredentialAnswers {
  const { desk, realm, decoys, dearProofs, onClaim } = options
  const foreign = createForeignAuthorities()

  async function bySecret({ idI, proof }: CredentialQuestion): Promise<CredentialAnswer | null> {
    const device = await desk.find(idI)
    if (device === undefined) return null
    const candidates = (device?.credentials ?? []).flatMap((credential) =>
      credential.kind === 'psk' ? [{ kind: 'psk' as const, id: credential.id, secret: credential.secret }] : [],
    )
    const decoy = { tiers: realm.tiers }
    if (device === null) return { kind: 'credential', found: null, decoy }
    const isKnown = proof === 'psk' && candidates.length > 0
    onClaim(idI, device, isKnown ? null : { reason: 'no_credential', detail: 'the device has no valid shared key' })
    wipeDevice(device, isKnown ? ['psk', 'ppk'] : [])
    return { kind: 'credential', found: isKnown ? foundOf(device, { candidates }) : null, decoy }
  }

  async function bySignature({ idI, certificates, path }: CredentialQuestion): Promise<CredentialAnswer | null> {
    const { signer, otherSigners, trust } = realm
    if (signer === null || trust === null) return null
    const chain = chainOf(certificates)
    const { address } = path.remote
    const isDear = isDearChain(chain)
    if (isDear && !dearProofs.take(address, performance.now())) return null
    const shown = judge(chain, idI, trust)
    const device = await desk.find(idI)
    if (device === undefined) return null
    const decoy = { signer, otherSigners, tiers: realm.tiers, ...(shown.key && { key: shown.key }) }
    const credential = device?.credentials.find(
      (known) => known.kind === 'certificate' && known.fingerprint === shown.fingerprint,
    )
    const { fault, key } = verdictOf(chain, credential?.kind === 'certificate' ? credential.authority : null, shown)
    if (device === null) return { kind: 'credential', found: null, decoy }
    const doubt = credential ? fault : (shown.fault ?? 'the certificate is not one of its valid credentials')
    const unknown = credential ? {} : { certificate: shown.fingerprint }
    onClaim(idI, device, doubt === null ? null : { reason: 'authentication_failed', detail: doubt, ...unknown })
    wipeDevice(device, ['ppk'])
    if (doubt !== null || !credential || !key) return { kind: 'credential', found: null, decoy }
    if (isDear) dearProofs.claimed(credential.id, address)
    const candidates = [{ kind: 'publicKey' as const, id: credential.id, key }]
    return { kind: 'credential', found: foundOf(device, { candidates, signer, otherSigners }), decoy }
  }

  /**
   * A certificate of an authority of the organization counts below that one alone, and need not name the device: the credential says
   * whose it is. Only exactly the certificate of the credential is judged; all others that are not ours take as long (N26), or the time
   * would tell who has which.
   *
   * @param authority of the credential, PEM
   */
  function verdictOf(
    chain: readonly Uint8Array[],
    authority: string | null,
    shown: Shown,
  ): Pick<Shown, 'fault' | 'key'> {
    const anchors = authority === null ? null : foreign.of(authority)
    if (anchors !== null) {
      const valid = validateChain(chain, { anchors, atMs: Date.now(), purpose: 'device', decoys })
      return valid.ok ? { fault: null, key: valid.value.key } : { fault: FAULTS[valid.fault.code], key: null }
    }
    if (!shown.isOurs) pretendChain(chain, decoys)
    return authority === null ? shown : { fault: 'the authority of the certificate cannot be used', key: null }
  }

  /**
   * Everybody alike: who it is comes out inside EAP. We prove ourselves first, also to those who say that they could do without
   * (RFC 5998): clients say so whatever their configuration wants of us.
   */
  async function byEap({ idI }: CredentialQuestion): Promise<CredentialAnswer | null> {
    const { signer, otherSigners, tiers } = realm
    const device = await desk.find(idI)
    if (device) {
      onClaim(idI, device, null)
      wipeDevice(device)
    }
    if (signer === null || device === undefined) return null
    const candidates = [{ kind: 'eap' as const, id: null, withoutOurProof: false }]
    return { kind: 'credential', found: { subject: null, candidates, signer, otherSigners, tiers } }
  }

  return {
    answer(question) {
      switch (question.proof) {
        case 'signature':
          return bySignature(question)
        case 'eap':
          return byEap(question)
        case 'psk':
        case 'other':
          return bySecret(question)
      }
    },
  }
}

type Means = Pick<FoundCredential, 'candidates' | 'signer' | 'otherSigners'>

function foundOf(device: CachedDevice, means: Means): FoundCredential {
  const { deviceId: subject, tiers } = device
  return { subject, tiers, ...means, ...ppksOf(device) }
}

/** All that are good now; the peer names one. The secrets are shared with the device's. */
export function ppksOf({ credentials }: CachedDevice): Required<Pick<FoundCredential, 'ppks'>> {
  const ppks = credentials.filter((credential) => credential.kind === 'ppk')
  return {
    ppks: ppks.map(({ identity, secret, isRequired }) => ({
      id: Uint8Array.of(PPK_ID_FIXED, ...new TextEncoder().encode(identity)),
      secret,
      isRequired,
    })),
  }
}

interface Shown {
  readonly fingerprint: string
  /** Of the first certificate, whatever it is worth; null when there is none that can be read. */
  readonly key: VerifyingKey | null
  /** It leads to an authority of this installation. */
  readonly isOurs: boolean
  /** Why it does not speak for the identity; null when it does. */
  readonly fault: string | null
}

function chainOf(certificates: CredentialQuestion['certificates']): readonly Uint8Array[] {
  return certificates.filter(({ encoding }) => encoding === CERT_ENCODING.X509_SIGNATURE).map(({ data }) => data)
}

function judge(chain: readonly Uint8Array[], idI: Identity, trust: Trust): Shown {
  const [own = new Uint8Array(0)] = chain
  const fingerprint = fingerprintOf(own)
  const valid = validateChain(chain, { ...trust, atMs: Date.now(), purpose: 'device' })
  if (!valid.ok) {
    const read = readCertificate(own)
    const key = read.ok ? verifyingKey(read.value.spki) : null
    return { fingerprint, key, isOurs: false, fault: FAULTS[valid.fault.code] }
  }
  const bound = bindIdentity(valid.value.certificate, idI)
  return { fingerprint, key: valid.value.key, isOurs: true, fault: bound.ok ? null : FAULTS[bound.fault.code] }
}

/** SHA-256 of the DER, lower case hexadecimal. */
export function fingerprintOf(certificate: Uint8Array): string {
  return createHash('sha256').update(certificate).digest('hex')
}
