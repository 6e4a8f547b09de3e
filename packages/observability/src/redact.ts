/**
 * Takes secrets out of what is about to be logged, at any depth and however they got there: by the name of the key, and
 * by shape inside text (credentials in a URL, API keys). Bounded in depth and width, so that a log line stays small.
 */
const secretName =
  /^(?!.*_?id$)(.*(authorization|cookie|passw(or)?d|secret|psk|token|apikey|api_key|privatekey|private_key|credentials?)|key|keys|.*keymat|sk_[a-z]+)$/i
const maxDepth = 8
const maxItems = 100
export const redacted = '[redacted]'

/** @returns a copy of `value` without secrets; errors keep type, message, code, stack and cause */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return value
  if (depth >= maxDepth) return '[deep]'
  if (value instanceof Error) return redactError(value, depth)
  if (value instanceof Date) return value
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (Array.isArray(value)) return value.slice(0, maxItems).map((item) => redact(item, depth + 1))
  const copy: Record<string, unknown> = {}
  for (const [name, item] of Object.entries(value).slice(0, maxItems)) {
    copy[name] = secretName.test(name) && item !== null && item !== undefined ? redacted : redact(item, depth + 1)
  }
  return copy
}

/** @returns `text` with credentials in URLs, bearer tokens and API keys blacked out */
export function redactText(text: string): string {
  return text
    .replaceAll(/:\/\/[^/\s"'<>]*@/g, `://${redacted}@`)
    .replaceAll(/([?&][\w-]*(?:passw(?:or)?d|secret|token|psk|key)=)[^&\s"'<>]*/gi, `$1${redacted}`)
    .replaceAll(/\bculvert_[0-9A-Za-z]+_[0-9A-Za-z]+/g, `culvert_${redacted}`)
    .replaceAll(/\bBearer\s+\S+/gi, `Bearer ${redacted}`)
}

function redactError(error: Error, depth: number): Record<string, unknown> {
  const { code } = error as { code?: unknown }
  return {
    type: error.name,
    message: redactText(error.message),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(error.stack ? { stack: redactText(error.stack) } : {}),
    ...(error.cause === undefined ? {} : { cause: redact(error.cause, depth + 1) }),
    ...(error instanceof AggregateError ? { errors: redact(error.errors, depth + 1) } : {}),
  }
}
