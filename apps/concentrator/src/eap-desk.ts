/**
 * Runs EAP for devices that want it: EAP-TLS with the certificates of the installation, EAP-MSCHAPv2 with passwords.
 *
 * Who came is who EAP has proven, whatever was claimed in IDi or in EAP-Identity; the proof counts only while its credential is
 * valid when EAP ends. A peer that is to hear no proof of ours before (RFC 5998) is offered EAP-TLS alone, which proves both ends.
 * Strangers fail inside the method, after the same rounds as a device with a wrong password.
 */
import { wipeDevice, type CachedCredential, type CachedDevice } from '@culvert/concentrator-core'
import type { Rng } from '@culvert/crypto'
import { identityOfUserName } from '@culvert/db'
import {
  createEapAuthenticator,
  createMschapMethod,
  createTlsMethods,
  type EapAuthenticator,
  type EapMethod,
  type EapStep,
} from '@culvert/eap'
import type { Answer, EapSession, Question, SocketAddress } from '@culvert/ikev2'
import { readCertificate, validateChain, type Certificate } from '@culvert/pki'
import type { OwnProofs } from './own-certificate.ts'
import type { Trust } from './authority-book.ts'
import { fingerprintOf, ppksOf } from './credential-answers.ts'
import { identityText, type CredentialDesk } from './credential-desk.ts'
import type { Realm } from './realm.ts'

type EapQuestion = Extract<Question, { kind: 'eap' }>
type EapAnswer = Extract<Answer, { kind: 'eap' }>
type Success = Extract<EapStep, { outcome: 'success' }>

const MOST_RUNS = 1000
const LONGEST_RUN_MS = 60_000
/** Of one certificate; ours have one. */
const MOST_NAMES = 4

export interface EapDesk {
  answer(question: EapQuestion): Promise<EapAnswer>
  /** The run will not go on. */
  end(session: EapSession): void
  /** Ends all. */
  stop(): void
  readonly size: number
}

interface Run {
  readonly eap: EapAuthenticator
  readonly timer: NodeJS.Timeout
}

export function createEapDesk(options: {
  desk: CredentialDesk
  realm: Realm
  /** What MS-CHAPv2 calls us. */
  serverName: string
  rng: Rng
  /** Somebody was proven to be this device. */
  onProven: (device: CachedDevice) => void
  /** Somebody at this address gave EAP the name of this device, or a certificate with it; null for a run that begins. */
  onClaim: (remote: SocketAddress, device: CachedDevice | null) => void
}): EapDesk {
  const { desk, realm, rng } = options
  const runs = new Map<EapSession, Run>()
  let tls: { readonly proofs: OwnProofs; readonly trust: Trust; readonly methods: TlsMethods } | null = null

  async function secretFor(userName: string, remote: SocketAddress): Promise<Uint8Array | null> {
    const found = await byUserName(userName)
    if (found) {
      options.onClaim(remote, found.device)
      wipeDevice(found.device, ['eap'])
    }
    return found?.credential.kind === 'eap' ? found.credential.secret : null
  }

  /** The TLS context is made once for each certificate of ours. */
  function tlsMethod(remote: SocketAddress): EapMethod | null {
    const { proofs, trust } = realm
    if (proofs === null || trust === null) return null
    if (tls?.proofs !== proofs || tls.trust !== trust) {
      const { authorities } = trust
      tls = { proofs, trust, methods: createTlsMethods({ certificate: proofs.tls, authorities }) }
    }
    return tls.methods((chain) => verifyChain(chain, remote))
  }

  /** A chain that is no good claims the names in it all the same: a device whose certificate is over can be told so. */
  async function verifyChain(chain: readonly Uint8Array[], remote: SocketAddress): Promise<{ subject: string } | null> {
    const { trust } = realm
    const [own = new Uint8Array(0)] = chain
    const read = readCertificate(own)
    if (!read.ok) return null
    const isValid = trust !== null && validateChain(chain, { ...trust, atMs: Date.now(), purpose: 'device' }).ok
    const fingerprint = fingerprintOf(own)
    for (const name of namesOf(read.value)) {
      const device = await desk.findByName(name)
      if (device === undefined) throw new Error('the database is away')
      if (device === null) continue
      options.onClaim(remote, device)
      wipeDevice(device)
      const isKnown = device.credentials.some(isCertificate(fingerprint))
      if (isValid && isKnown) return { subject: name }
    }
    return null
  }

  function byUserName(userName: string): Promise<Found | null> {
    const name = userName.slice(userName.lastIndexOf('\\') + 1).toLowerCase() // without a Windows domain
    return findCredential(identityOfUserName(name), (known) => known.kind === 'eap' && known.userName === name)
  }

  function byCertificate(name: string, fingerprint: string): Promise<Found | null> {
    return findCredential(name, isCertificate(fingerprint))
  }

  /** @throws when it cannot be known now, which ends the method as any other failure does */
  async function findCredential(
    identity: string,
    isRight: (credential: CachedCredential) => boolean,
  ): Promise<Found | null> {
    const device = await desk.findByName(identity)
    if (device === undefined) throw new Error('the database is away')
    const credential = device?.credentials.find(isRight)
    if (device && credential) return { device, credential }
    if (device) wipeDevice(device)
    return null
  }

  function start({ session, idI, path, withoutOurProof }: EapQuestion): Run {
    const { remote } = path
    options.onClaim(remote, null)
    const certificates = tlsMethod(remote)
    const { serverName } = options
    const mschap = createMschapMethod({ serverName, secretFor: (userName) => secretFor(userName, remote) })
    const methods = [...(certificates ? [certificates] : []), ...(withoutOurProof ? [] : [mschap])]
    const claimedIdentity = identityText(idI)
    const eap = createEapAuthenticator({ methods, askIdentity: true, claimedIdentity, rng })
    const run = { eap, timer: setTimeout(() => end(session), LONGEST_RUN_MS).unref() }
    runs.set(session, run)
    const oldest = runs.keys().next()
    if (runs.size > MOST_RUNS && !oldest.done) end(oldest.value)
    return run
  }

  function end(session: EapSession): void {
    const run = runs.get(session)
    if (run === undefined) return
    runs.delete(session)
    clearTimeout(run.timer)
    run.eap.close()
  }

  async function succeed(step: Success): Promise<EapAnswer> {
    const [own] = step.certificates
    const lookUp = own ? byCertificate(step.identity, fingerprintOf(own)) : byUserName(step.identity)
    const found = await lookUp.catch(() => null)
    if (found === null) {
      step.msk.fill(0)
      return failure('the credential is not valid any more')
    }
    const { device, credential } = found
    options.onProven(device)
    wipeDevice(device, ['ppk'])
    setImmediate(() => step.msk.fill(0)) // the core takes its copy before: answers are handed in at once
    return {
      kind: 'eap',
      outcome: 'success',
      packet: step.packet,
      msk: step.msk,
      subject: device.deviceId,
      credential: credential.id,
      tiers: device.tiers,
      ...ppksOf(device),
    }
  }

  return {
    async answer(question) {
      const { session, packet } = question
      const run = runs.get(session) ?? (packet === null ? start(question) : null)
      if (run === null) return failure('the method is not under way any more')
      const step = await run.eap.next(packet)
      if (step.outcome === 'continue') {
        return { kind: 'eap', outcome: 'continue', packet: step.packet, ...(step.lost && { lost: step.lost }) }
      }
      end(session)
      return step.outcome === 'success'
        ? succeed(step)
        : { kind: 'eap', outcome: 'failure', packet: step.packet, detail: step.reason }
    },
    end,
    stop() {
      for (const session of runs.keys()) end(session)
    },
    get size() {
      return runs.size
    },
  }
}

type TlsMethods = ReturnType<typeof createTlsMethods>

/** TLS is told whom to trust before it is known who comes, so authorities of organizations do not count here. */
function isCertificate(fingerprint: string): (known: CachedCredential) => boolean {
  return (known) => known.kind === 'certificate' && known.authority === null && known.fingerprint === fingerprint
}

interface Found {
  readonly device: CachedDevice
  readonly credential: CachedCredential
}

/** The core has the packet for it. */
function failure(detail: string): EapAnswer {
  return { kind: 'eap', outcome: 'failure', packet: new Uint8Array(0), detail }
}

function namesOf({ extensions }: Certificate): readonly string[] {
  return extensions.subjectAltNames
    .filter(({ kind }) => kind === 'dns' || kind === 'rfc822')
    .slice(0, MOST_NAMES)
    .map(({ value }) => String.fromCharCode(...value))
}
