/**
 * An initiator made by hand: it does what the test says, message by message, and nothing of its own. For peers our own initiator
 * does not play: EAP, old signature methods, and everything in the wrong order.
 */
import { concatBytes } from '@culvert/bytes'
import { ENCR, KE, opensslProvider, PRF, type Prf, TRANSFORM_TYPE } from '@culvert/crypto'
import {
  addFragment,
  AUTH_METHOD,
  decodeMessage,
  decodePayloads,
  defaultEspSuites,
  deriveIkeKeys,
  encodeMessage,
  EXCHANGE,
  type FragmentSet,
  identityBody,
  type Identity,
  type IkeHeader,
  type IkeKeys,
  type IkeSpi,
  type MessageId,
  mixPpk,
  openMessage,
  type Payload,
  PROTOCOL,
  proposalsFor,
  sealMessage,
  sharedKeyAuth,
  signedOctets,
  type SkKeys,
  ZERO_SPI,
} from '@culvert/ikev2'
import type { Network, Packet, Receiver } from './network.ts'
import { fqdn, selectors } from './node.ts'

const PORT = 500
const NONE = new Uint8Array(0)

export class HandPeer implements Receiver {
  readonly address: string
  readonly prf: Prf
  /** Who it says it is. */
  idI: Identity = fqdn('dev.test')
  /** Payloads of the IKE_SA_INIT response. */
  initPayloads: readonly Payload[] = []
  messageId = 0
  readonly #network: Network
  readonly #gateway: string
  readonly #spiI: IkeSpi
  readonly #nonceI: Uint8Array
  #request: Uint8Array = NONE
  #response: Uint8Array = NONE
  #nonceR: Uint8Array = NONE
  #spiR: IkeSpi = ZERO_SPI
  #keys: IkeKeys | null = null
  #received: readonly Payload[] | null = null
  #fragments: FragmentSet | null = null
  #iv = 0

  constructor(network: Network, gateway: string, address = '198.51.100.9') {
    this.#network = network
    this.#gateway = gateway
    this.address = address
    this.prf = known(opensslProvider.prf(PRF.HMAC_SHA2_256))
    this.#nonceI = network.random.bytes(32)
    this.#spiI = Buffer.from(network.random.bytes(8)).toString('hex') as IkeSpi
    network.attach(this)
  }

  /** IKE_SA_INIT with these payloads behind the usual ones. */
  init(extra: readonly Payload[] = []): void {
    const method = known(opensslProvider.keyExchange(KE.CURVE25519)).generate(this.#network.random.bytes)
    this.#request = encodeMessage(this.#header(EXCHANGE.IKE_SA_INIT, 0), [
      { kind: 'sa', proposals: [IKE_PROPOSAL] },
      { kind: 'ke', group: KE.CURVE25519, data: method.publicValue },
      { kind: 'nonce', data: this.#nonceI },
      ...extra,
    ])
    this.#send(this.#request)
    this.#network.run(1_000)
    const decoded = decodeMessage(this.#response)
    if (!decoded.ok) throw new Error('no answer to IKE_SA_INIT')
    this.initPayloads = decoded.value.payloads
    this.#spiR = decoded.value.header.spiR
    const ke = this.initPayloads.find((payload) => payload.kind === 'ke')
    const nonce = this.initPayloads.find((payload) => payload.kind === 'nonce')
    if (ke?.kind !== 'ke' || nonce?.kind !== 'nonce') throw new Error('IKE_SA_INIT was refused')
    this.#nonceR = nonce.data
    const suite = { prf: this.prf, cipher: known(opensslProvider.cipher(ENCR.AES_GCM_16, 256)), integ: null }
    this.#keys = deriveIkeKeys(suite, {
      nonceI: this.#nonceI,
      nonceR: nonce.data,
      spiI: this.#spiI,
      spiR: this.#spiR,
      sharedSecret: known(method.sharedSecret(ke.data)),
    })
  }

  /** The next request of this exchange. @returns the payloads of the response, null when there is none within two seconds. */
  ask(payloads: readonly Payload[], exchangeType: number = EXCHANGE.IKE_AUTH): readonly Payload[] | null {
    this.messageId += 1
    return this.askAs(this.messageId, payloads, exchangeType)
  }

  /** The same with less patience. */
  askWithin(durationMs: number, payloads: readonly Payload[]): readonly Payload[] | null {
    this.messageId += 1
    return this.askAs(this.messageId, payloads, EXCHANGE.IKE_AUTH, durationMs)
  }

  /** The same with a message id of the test's choosing. */
  askAs(
    messageId: number,
    payloads: readonly Payload[],
    exchangeType: number,
    durationMs = 2_000,
  ): readonly Payload[] | null {
    this.#received = null
    this.#fragments = null
    this.#iv += 1
    const iv = Uint8Array.of(0xff, 0, 0, 0, 0, 0, this.#iv >>> 8, this.#iv)
    const limits = { fragmentBytes: 0, fragmentation: false }
    const header = this.#header(exchangeType, messageId)
    for (const bytes of sealMessage(header, payloads, this.#sk('initiator'), () => iv, limits)) this.#send(bytes)
    this.#network.run(durationMs)
    return this.#received
  }

  /** What every first IKE_AUTH request holds, with these payloads among it. */
  firstRequest(...payloads: readonly Payload[]): readonly Payload[] {
    return [
      { kind: 'idI', id: this.idI },
      ...payloads,
      { kind: 'cp', cfgType: 1, attributes: [{ type: 1, value: NONE }] },
      {
        kind: 'sa',
        proposals: proposalsFor(defaultEspSuites, PROTOCOL.ESP, Uint8Array.of(9, 9, 9, 9), { kePolicy: 'absent' }),
      },
      { kind: 'tsI', selectors: selectors('0.0.0.0/0') },
      { kind: 'tsR', selectors: selectors('0.0.0.0/0') },
    ]
  }

  /** Octets of our AUTH payload. @param ppk mixed into SK_pi. */
  octets(ppk: Uint8Array | null = null): Uint8Array {
    const [realMessage, peerNonce] = [this.#request, this.#nonceR]
    const skP = this.skPi(ppk)
    return concatBytes(...signedOctets(this.prf, { realMessage, peerNonce, skP, idBody: identityBody(this.idI) }))
  }

  /** Octets of the responder's AUTH payload. */
  responderOctets(idR: Identity, ppk: Uint8Array | null = null): Uint8Array {
    const { skPr } = known(this.#keys)
    const skP = ppk === null ? skPr : mixPpk(this.prf, ppk, skPr)
    const [realMessage, peerNonce] = [this.#response, this.#nonceI]
    return concatBytes(...signedOctets(this.prf, { realMessage, peerNonce, skP, idBody: identityBody(idR) }))
  }

  skPi(ppk: Uint8Array | null = null): Uint8Array {
    const { skPi } = known(this.#keys)
    return ppk === null ? skPi : mixPpk(this.prf, ppk, skPi)
  }

  get skPr(): Uint8Array {
    return known(this.#keys).skPr
  }

  /** An AUTH payload with a shared key: a PSK, or what EAP made. */
  sharedKeyAuth(secret: Uint8Array, ppk: Uint8Array | null = null): Payload {
    const data = sharedKeyAuth(this.prf, secret, this.octets(ppk))
    return { kind: 'auth', method: AUTH_METHOD.SHARED_KEY_MIC, data }
  }

  receive({ bytes }: Packet): void {
    const decoded = decodeMessage(bytes)
    if (!decoded.ok) return
    const { header, sealed } = decoded.value
    if (header.exchangeType === EXCHANGE.IKE_SA_INIT) {
      this.#response = bytes
      return
    }
    const opened = openMessage(bytes, decoded.value, this.#sk('responder'))
    if (!opened.ok || sealed === null || !header.isResponse || header.messageId !== this.messageId) return
    if (sealed.totalFragments === 0) this.#take(sealed.innerType, opened.value)
    else {
      const { set, complete } = addFragment(this.#fragments, sealed, opened.value)
      this.#fragments = set
      if (complete !== null) this.#take(complete.innerType, complete.bytes)
    }
  }

  #take(innerType: number, plaintext: Uint8Array): void {
    const inner = decodePayloads(innerType, plaintext)
    this.#received = inner.ok ? inner.value : null
  }

  #sk(side: 'initiator' | 'responder'): SkKeys {
    const { skEi, skEr } = known(this.#keys)
    const cipher = known(opensslProvider.cipher(ENCR.AES_GCM_16, 256))
    return { cipher, integ: null, encrKey: side === 'initiator' ? skEi : skEr, integKey: NONE }
  }

  #header(exchangeType: number, messageId: number): IkeHeader {
    return {
      spiI: this.#spiI,
      spiR: this.#spiR,
      exchangeType,
      messageId: messageId as MessageId,
      fromOriginalInitiator: true,
      isResponse: false,
    }
  }

  #send(bytes: Uint8Array): void {
    const from = { address: this.address, port: PORT }
    this.#network.send({ from, to: { address: this.#gateway, port: PORT }, bytes: concatBytes(bytes) })
  }
}

const IKE_PROPOSAL = {
  number: 1,
  protocolId: PROTOCOL.IKE,
  spi: NONE,
  transforms: [
    { type: TRANSFORM_TYPE.ENCR, id: ENCR.AES_GCM_16, keyBits: 256 },
    { type: TRANSFORM_TYPE.PRF, id: PRF.HMAC_SHA2_256, keyBits: null },
    { type: TRANSFORM_TYPE.KE, id: KE.CURVE25519, keyBits: null },
  ],
}

function known<T>(value: T | null): T {
  if (value === null) throw new Error('not there')
  return value
}

/** The payload of this kind. @throws when there is none. */
export function payloadOf<K extends Payload['kind']>(
  payloads: readonly Payload[] | null,
  kind: K,
): Extract<Payload, { kind: K }> {
  const found = payloads?.find((payload): payload is Extract<Payload, { kind: K }> => payload.kind === kind)
  if (found === undefined) throw new Error(`no ${kind} payload in ${JSON.stringify(kindsOf(payloads))}`)
  return found
}

/** Kinds of the payloads, notifies with their type; null for no response. */
export function kindsOf(payloads: readonly Payload[] | null): readonly string[] | null {
  return payloads?.map((payload) => (payload.kind === 'notify' ? `notify ${payload.type}` : payload.kind)) ?? null
}
