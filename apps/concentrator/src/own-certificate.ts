/**
 * A certificate by which this node proves itself to devices that share no key with it; it has one for each kind of key.
 *
 * ```
 *   none ─▶ asked ─▶ issued ─▶ asked again, while the old one serves ─▶ issued ...
 *             └─▶ refused: asked again after a while
 * ```
 *
 * The key is made for this life of the process and never leaves it. It is renewed after two thirds of its life, and when the
 * authorities of the installation are others. While one authority takes the place of another, both certify it. Without a signer a node has none, and serves devices with shared keys.
 */
import { createPrivateKey } from 'node:crypto'
import { readGatewayCertificate, requestGatewayCertificate, type GatewayKeyKind, type Pool } from '@culvert/db'
import { signingKey, type SigningKey } from '@culvert/crypto'
import type { TlsCertificate } from '@culvert/eap'
import type { Signer } from '@culvert/ikev2'
import type { Logger } from '@culvert/observability'
import {
  authorityHash,
  fromPem,
  makeKeyPair,
  readCertificate,
  toPem,
  trustAnchors,
  validateChain,
  type KeyPair,
} from '@culvert/pki'
import type { Trust } from './authority-book.ts'

export interface OwnProofs {
  /** For IKE_AUTH: the authority that signs now has certified it. */
  readonly signer: Signer
  /** The same key, certified by authorities that it takes the place of. */
  readonly others: readonly Signer[]
  /** For EAP-TLS. */
  readonly tls: TlsCertificate
}

export interface OwnCertificate {
  /** Null until the signer has made one. The object changes with each certificate. */
  readonly proofs: OwnProofs | null
  /** Takes the next step, if there is one. */
  refresh(trust: Trust | null): Promise<void>
}

const AGAIN_AFTER_REFUSAL_MS = 60_000
/** A signer that was away may have lost sight of a request: it is written anew. */
const AGAIN_WITHOUT_ANSWER_MS = 300_000

interface Issued extends OwnProofs {
  readonly renewAtMs: number
}

export function createOwnCertificate(
  pool: Pool,
  nodeName: string,
  log: Logger,
  keyKind: GatewayKeyKind = 'p256',
): OwnCertificate {
  let issued: Issued | null = null
  let asked: { readonly pair: KeyPair; readonly untilMs: number } | null = null
  let askAgainMs = 0
  /** For which authorities a certificate was asked for last: one that gave none is not asked again and again. */
  let askedFor: Trust | null = null

  function isDue(trust: Trust | null): boolean {
    if (Date.now() < askAgainMs) return false
    if (issued === null || Date.now() >= issued.renewAtMs) return true
    return trust !== null && (!isTrusted(issued.signer, trust) || (trust !== askedFor && lacksAuthority(issued, trust)))
  }

  async function ask(trust: Trust | null): Promise<void> {
    askedFor = trust
    const pair = await makeKeyPair(keyKind)
    await requestGatewayCertificate(pool, nodeName, pair.publicKey, keyKind)
    asked = { pair, untilMs: Date.now() + AGAIN_WITHOUT_ANSWER_MS }
  }

  function giveUp(reason: string | null): void {
    log.warn({ reason, keyKind }, 'this node got no certificate; devices that share no key with it may not attach here')
    forget()
    askAgainMs = Date.now() + AGAIN_AFTER_REFUSAL_MS
  }

  function forget(): void {
    asked?.pair.privateKey.fill(0)
    asked = null
  }

  async function collect({ pair, untilMs }: NonNullable<typeof asked>, trust: Trust | null): Promise<void> {
    const answer = await readGatewayCertificate(pool, nodeName, pair.publicKey)
    if (answer?.issuance === 'refused') giveUp(answer.refusal)
    else if (answer?.issuance === 'issued' && answer.certificates !== null && answer.notAfter !== null) {
      const proofs = proofsOf(pair, answer.certificates, trust)
      if (proofs === null) {
        giveUp('the certificate that was issued cannot be read')
        return
      }
      forget()
      const lifeMs = answer.notAfter.getTime() - Date.now()
      issued = { ...proofs, renewAtMs: Date.now() + (lifeMs * 2) / 3 }
      askAgainMs = Date.now() + AGAIN_AFTER_REFUSAL_MS
      log.info({ notAfter: answer.notAfter, keyKind }, 'this node has a certificate')
    } else if (answer === null || Date.now() > untilMs) forget()
  }

  return {
    get proofs() {
      return issued
    },
    async refresh(trust) {
      if (asked === null && isDue(trust)) await ask(trust)
      if (asked !== null) await collect(asked, trust)
    },
  }
}

/** @param chain for each authority the certificate of the key, and what stands between the two */
function proofsOf({ privateKey, publicKey }: KeyPair, chain: string, trust: Trust | null): OwnProofs | null {
  const key = signingKey(privateKey)
  const certificates = fromPem(chain, 'CERTIFICATE')
  if (key === null || certificates === null) return null
  const chains: Uint8Array[][] = []
  for (const certificate of certificates) {
    const read = readCertificate(certificate)
    if (!read.ok) return null
    const isOwn = Buffer.compare(read.value.spki, publicKey) === 0
    if (isOwn) chains.push([certificate])
    else chains.at(-1)?.push(certificate)
  }
  const [signer, ...others] = chains.map((each) => signerOf(key, each, trust))
  if (signer === undefined) return null
  const pem = createPrivateKey({ key: Buffer.from(privateKey), format: 'der', type: 'pkcs8' })
  const tlsChain = signer.certificates.map((certificate) => toPem(certificate, 'CERTIFICATE')).join('')
  return { signer, others, tls: { chain: tlsChain, key: pem.export({ format: 'pem', type: 'pkcs8' }).toString() } }
}

function signerOf(key: SigningKey, certificates: readonly Uint8Array[], trust: Trust | null): Signer {
  const authority = trust?.anchors.all
    .filter((anchor) => chainEndsAt(certificates, anchor.certificate.der))
    .map(({ certificate }) => authorityHash(certificate.spki))[0]
  return { key, certificates, ...(authority && { authority }) }
}

function isTrusted({ certificates }: Signer, { anchors }: Trust): boolean {
  return validateChain(certificates, { anchors, atMs: Date.now(), purpose: 'gateway' }).ok
}

/** Whether devices of some authority could not check any of them. */
function lacksAuthority({ signer, others }: OwnProofs, { anchors }: Trust): boolean {
  return anchors.all.some(
    ({ certificate }) => ![signer, ...others].some(({ certificates }) => chainEndsAt(certificates, certificate.der)),
  )
}

function chainEndsAt(certificates: readonly Uint8Array[], root: Uint8Array): boolean {
  const anchors = trustAnchors([root])
  return anchors.ok && validateChain(certificates, { anchors: anchors.value, atMs: Date.now(), purpose: 'gateway' }).ok
}
