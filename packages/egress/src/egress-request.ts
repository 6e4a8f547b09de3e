/** What is sent, and how long and how much may come back. */
export interface EgressRequest {
  readonly url: string
  readonly method?: 'POST' | 'PUT' | 'GET'
  /** Names in any case; those that frame a message (Host, Content-Length, Connection ...) are refused. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
  /** For the whole exchange. */
  readonly timeoutMs: number
  /** Of the body; what is beyond is not read. */
  readonly maxResponseBytes: number
  readonly signal?: AbortSignal
}
