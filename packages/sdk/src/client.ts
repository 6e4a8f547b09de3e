/**
 * The client: every call of the API by its path, with types of its OpenAPI document. Answers come as they are, what goes wrong is a
 * CulvertError; keys for repeating calls safely, repeating and paging are done here.
 */
import createFetchClient from 'openapi-fetch'
import type { Calls, InputArguments, ItemOf, ListPath } from './calls.ts'
import { followEvents, type EventCalls } from './events.ts'
import type { paths } from './generated/api.ts'
import { waitForOperation, type OperationCalls } from './operations.ts'
import { Pages } from './pages.ts'
import type { Operation } from './schema.ts'
import { send, type SendOptions } from './send.ts'
import { openTunnel, type TunnelCalls } from './tunnels.ts'

export interface ClientOptions {
  /** Where the API is, such as `https://api.culvert.example`, without `/v1`. */
  readonly baseUrl: string
  /** An API key, or something that has one, such as a token that is renewed. */
  readonly key: SendOptions['key']
  /** Attempts after the first one, where it is safe to repeat; 3 when left out. */
  readonly retries?: number
  /** For the answer of one attempt; 60 000 when left out. */
  readonly timeoutMs?: number
  /** Instead of the one of the platform. */
  readonly fetch?: SendOptions['fetch']
}

export interface Culvert extends Calls {
  /** All items of a list: `for await (const device of culvert.list('/v1/devices'))`. */
  readonly list: <P extends ListPath>(path: P, ...input: InputArguments<'get', P>) => Pages<ItemOf<P>>
  readonly tunnels: TunnelCalls
  readonly operations: OperationCalls
  readonly events: EventCalls
}

export function createClient(options: ClientOptions): Culvert {
  const { baseUrl, key, retries = 3, timeoutMs = 60_000, fetch = (request) => globalThis.fetch(request) } = options
  // An API that answers with a redirect is not ours, and the key is not for where it leads.
  const base = baseUrl.replace(/\/+$/, '')
  const api = createFetchClient<paths>({
    baseUrl: base,
    redirect: 'error',
    fetch: (request) => send(request, { key, retries, timeoutMs, fetch }),
  })
  const call = (method: 'GET' | 'POST' | 'PATCH' | 'DELETE') => {
    const request = api[method] as (path: string, input: object) => Promise<{ response: Response }>
    return async (path: string, input: object = {}): Promise<unknown> =>
      read((await request(path, { ...input, parseAs: 'stream' })).response)
  }
  const get = call('GET')
  const culvert = {
    get,
    post: call('POST'),
    patch: call('PATCH'),
    delete: call('DELETE'),
    list: (path: string, input: { params?: { query?: object } } = {}) =>
      new Pages((cursor) => {
        const query = { ...input.params?.query, ...(cursor === null ? {} : { cursor }) }
        return get(path, { ...input, params: { ...input.params, query } }) as never
      }),
    tunnels: { open: (input: never, waiting: never) => openTunnel(culvert, input, waiting) } as unknown as TunnelCalls,
    operations: {
      wait: (operation: Pick<Operation, 'id'> | string, waiting) => waitForOperation(culvert, operation, waiting),
    } as OperationCalls,
    events: { follow: (following) => followEvents({ baseUrl: base, key, fetch }, following) } as EventCalls,
  } as unknown as Culvert
  return culvert
}

/** JSON as what it says, other text as text, everything else as bytes. */
async function read(response: Response): Promise<unknown> {
  const type = response.headers.get('content-type') ?? ''
  if (response.status === 204 || type === '') return undefined
  if (/^application\/(?:[\w.-]+\+)?json\b/.test(type)) return response.json()
  if (/^text\/|^application\/(x-pem-file|x-ndjson|xml|yaml)\b/.test(type)) return response.text()
  return new Uint8Array(await response.arrayBuffer())
}

/** Headers for a change that is only made when nobody else changed the resource since it was read. */
export function ifUnchanged(resource: { readonly version: number }): { 'If-Match': string } {
  return { 'If-Match': `"${resource.version}"` }
}
