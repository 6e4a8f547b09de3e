/** Reads server-sent events (WHATWG HTML 9.2.6) out of an answer, message by message. */

export interface StreamMessage {
  /** What `Last-Event-ID` is from now on; null when the message says nothing of it. */
  readonly id: string | null
  /** Null for a message that carries an id alone, and for comments. */
  readonly data: string | null
}

/** Longest message; a longer one is none of the API. */
const mostCharacters = 4_000_000

/** @throws when a message does not end */
export async function* readEventStream(body: AsyncIterable<Uint8Array>): AsyncGenerator<StreamMessage> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true })
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      yield messageOf(text.slice(0, end))
      text = text.slice(end + 2)
    }
    if (text.length > mostCharacters) throw new Error('a message of the stream does not end')
  }
}

function messageOf(block: string): StreamMessage {
  let id: string | null = null
  let data: string | null = null
  for (const line of block.split('\n')) {
    const [, field, value = ''] = /^([a-z]+): ?(.*)$/.exec(line) ?? []
    if (field === 'id') id = value
    else if (field === 'data') data = data === null ? value : `${data}\n${value}`
  }
  return { id, data }
}
