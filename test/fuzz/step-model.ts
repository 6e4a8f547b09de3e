/**
 * What must hold for every step of an IKE endpoint, whatever came in: a model that knows message ids, keys and tables from outside
 * only, by what goes in and what comes out (RFC 7296 2.1-2.3, 2.21.4, 3.1).
 *
 * ```
 *   no keys          nothing happens: at most one short error notify; a first message of IKE_SA_INIT may make a half-open SA
 *   a request        one response, under its message id, when it is the next one; the same octets when it is the last one again
 *   a response       is never answered; one that answers nothing does nothing
 *   our requests     one at a time on each IKE SA, ids in a row, the same octets each time
 *   attachments      stand after a question that was granted, close once, and are silent then
 * ```
 */
import { decodeMessage, type Effect, EXCHANGE, type IkeHeader, peekHeader, ZERO_SPI } from '@culvert/ikev2'
import type { Step } from '../sim/node.ts'

interface SaModel {
  /** Id of the peer's next request; null before the first one was answered. */
  expected: number | null
  /** Datagrams of the last response. */
  lastResponse: ReadonlySet<string>
  /** Our last request; null before the first. */
  asked: Asked | null
}

interface Asked {
  readonly messageId: number
  readonly datagrams: ReadonlySet<string>
  /** No response came. */
  isOpen: boolean
  /** No response did anything: one that cannot be read is passed over, and a better one may come. */
  isUnheard: boolean
}

const MOST_REMEMBERED = 2_000
/** Exchanges before the first one the model sees: IKE_SA_INIT and IKE_INTERMEDIATE. */
const MOST_BEFORE = 8
/** An unprotected notify is 36 octets and its data. */
const MOST_NOTIFY_BYTES = 40

export class StepModel {
  readonly #sas = new Map<string, SaModel>()
  readonly #standing = new Set<number>()
  readonly #closed = new Set<number>()
  readonly #granted = new Set<number>()

  /**
   * @param isAuthentic whether a datagram of `input` was made with true keys, or seen before as such.
   * @throws Error with the rule that is broken.
   */
  observe({ input, effects }: Step, isAuthentic: boolean): void {
    if (input.kind === 'datagram') this.#checkDatagram(input.bytes, effects, isAuthentic)
    for (const message of messagesIn(effects)) this.#checkSent(message)
    for (const effect of effects) this.#checkAttachment(effect)
  }

  #checkDatagram(bytes: Uint8Array, effects: readonly Effect[], isAuthentic: boolean): void {
    const header = peekHeader(bytes)
    if (!header.ok) {
      must(effects.length === 0, 'something that is no IKE message had an effect')
      return
    }
    const { exchangeType, isResponse, messageId, majorVersion, spiR } = header.value
    const isInit = exchangeType === EXCHANGE.IKE_SA_INIT && spiR === ZERO_SPI && majorVersion === 2
    if (isInit && !isResponse) must(effects.every(mayFollowInit), 'IKE_SA_INIT had an effect it must not have')
    else if (isResponse) this.#checkHeardResponse(header.value, effects, isAuthentic)
    else if (isAuthentic)
      must(
        effects.every((effect) => answersOnly(effect, messageId)),
        `answered another request than ${messageId}`,
      )
    else must(effects.every(isErrorNotify) && effects.length <= 1, 'no keys, but an effect')
  }

  #checkHeardResponse(header: IkeHeader, effects: readonly Effect[], isAuthentic: boolean): void {
    const asked = this.#sas.get(nameOf(header))?.asked
    const isAwaited = asked?.isUnheard === true && asked.messageId === header.messageId
    if (isAuthentic && isAwaited) {
      asked.isOpen = false
      asked.isUnheard = effects.length === 0
    } else if (header.exchangeType !== EXCHANGE.IKE_SA_INIT) {
      // An unprotected INVALID_IKE_SPI is a reason to ask whether the peer lives, no more.
      must(effects.every(isProtectedRequest), 'a response to nothing had an effect')
    }
  }

  #checkSent({ header, datagrams }: Sent): void {
    const sa = this.#saOf(header)
    if (header.isResponse) checkResponse(sa, header.messageId, datagrams)
    else checkRequest(sa, header.messageId, datagrams)
  }

  #checkAttachment(effect: Effect): void {
    if (effect.kind === 'ask' && effect.question.kind === 'attach') this.#granted.add(effect.question.key)
    if ('key' in effect) must(!this.#closed.has(effect.key), `${effect.kind} for an attachment that is closed`)
    if (effect.kind !== 'event') return
    const { event } = effect
    if (event.kind === 'established') {
      must(event.role === 'initiator' || this.#granted.has(event.key), 'attached without having been asked')
      must(!this.#standing.has(event.key), 'attached twice')
      this.#standing.add(event.key)
    } else if (event.kind === 'closed') {
      must(!this.#closed.has(event.key), 'closed twice')
      this.#standing.delete(event.key)
      this.#closed.add(event.key)
    } else if ('key' in event && event.key !== null) {
      must(this.#standing.has(event.key), `${event.kind} of an attachment that does not stand`)
    }
  }

  #saOf(header: IkeHeader): SaModel {
    const name = nameOf(header)
    const sa = this.#sas.get(name) ?? { expected: null, lastResponse: new Set<string>(), asked: null }
    // The one used last goes to the end.
    this.#sas.delete(name)
    this.#sas.set(name, sa)
    const oldest = this.#sas.keys().next()
    if (this.#sas.size > MOST_REMEMBERED && !oldest.done) this.#sas.delete(oldest.value)
    return sa
  }
}

function checkResponse(sa: SaModel, messageId: number, datagrams: readonly string[]): void {
  if (sa.expected !== null && messageId === sa.expected - 1) {
    must(
      datagrams.every((octets) => sa.lastResponse.has(octets)),
      `another response to request ${messageId}`,
    )
    return
  }
  const isNext = sa.expected === null ? messageId <= MOST_BEFORE : messageId === sa.expected
  must(isNext, `a response to request ${messageId} out of turn`)
  sa.expected = messageId + 1
  sa.lastResponse = new Set(datagrams)
}

function checkRequest(sa: SaModel, messageId: number, datagrams: readonly string[]): void {
  const { asked } = sa
  if (asked?.messageId === messageId) {
    must(
      datagrams.every((octets) => asked.datagrams.has(octets)),
      `request ${messageId} is repeated with other octets`,
    )
    return
  }
  const isNext = asked === null ? messageId <= MOST_BEFORE : messageId === asked.messageId + 1
  must(isNext, `request ${messageId} out of turn`)
  must(asked?.isOpen !== true, `request ${messageId} while another is under way`)
  sa.asked = { messageId, datagrams: new Set(datagrams), isOpen: true, isUnheard: true }
}

interface Sent {
  readonly header: IkeHeader
  readonly datagrams: readonly string[]
}

/** Protected messages, their fragments together. */
function messagesIn(effects: readonly Effect[]): readonly Sent[] {
  const sent = new Map<string, { readonly header: IkeHeader; readonly datagrams: string[] }>()
  for (const effect of effects) {
    if (effect.kind !== 'send') continue
    const message = decodeMessage(effect.bytes)
    must(message.ok, 'sent what cannot be decoded')
    if (!message.ok || message.value.sealed === null) continue
    const { header } = message.value
    const name = `${nameOf(header)} ${header.isResponse} ${header.messageId}`
    const known = sent.get(name) ?? { header, datagrams: [] }
    known.datagrams.push(Buffer.from(effect.bytes).toString('latin1'))
    sent.set(name, known)
  }
  return [...sent.values()]
}

/** Responses among what is sent are to this request. */
function answersOnly(effect: Effect, messageId: number): boolean {
  if (effect.kind !== 'send') return true
  const header = peekHeader(effect.bytes)
  return header.ok && (!header.value.isResponse || header.value.messageId === messageId)
}

function isProtectedRequest(effect: Effect): boolean {
  if (effect.kind !== 'send') return false
  const message = decodeMessage(effect.bytes)
  return message.ok && !message.value.header.isResponse && message.value.sealed !== null
}

/** A half-open SA, its response or none; or a notify. Whoever was half-open for long enough may have to leave. */
function mayFollowInit(effect: Effect): boolean {
  if (effect.kind === 'send') return isResponseTo(effect, EXCHANGE.IKE_SA_INIT)
  if (effect.kind === 'event') return effect.event.kind === 'attemptFailed' || effect.event.kind === 'closed'
  return effect.kind === 'endEap'
}

function isErrorNotify(effect: Effect): boolean {
  if (effect.kind !== 'send' || effect.bytes.length > MOST_NOTIFY_BYTES) return false
  const message = decodeMessage(effect.bytes)
  return message.ok && message.value.header.isResponse && message.value.sealed === null
}

function isResponseTo({ bytes }: { readonly bytes: Uint8Array }, exchangeType: number): boolean {
  const header = peekHeader(bytes)
  return header.ok && header.value.isResponse && header.value.exchangeType === exchangeType
}

function nameOf({ spiI, spiR }: IkeHeader): string {
  return `${spiI}/${spiR}`
}

function must(condition: boolean, rule: string): void {
  if (!condition) throw new Error(rule)
}
