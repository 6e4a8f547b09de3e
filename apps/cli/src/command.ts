/** What the words of a command line ask for. No secret is among them: whoever may list processes reads them. */
import { createClient, CulvertError } from '@culvert/sdk'
import { parseArgs } from 'node:util'
import { readApiKey } from './api-key.ts'
import { listen } from './listen.ts'
import { UsageError } from './usage-error.ts'

export interface CommandIo {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly out: (line: string) => void
  readonly err: (line: string) => void
  /** Aborted when it is to end. */
  readonly signal: AbortSignal
}

const usage = `culvert listen --forward-to URL [options]

Reads events as they happen and sends each to URL, as a signed webhook.

  --forward-to URL     where your receiver is, such as http://127.0.0.1:3000/webhooks
  --types LIST         only these, such as device.online,tunnel.*
  --since TIME         from this time on (RFC 3339); what is yet to come when left out
  --api-key-file FILE  file with the API key, mode 600; CULVERT_API_KEY when left out
  --url URL            where the API is; CULVERT_API_URL, or http://127.0.0.1:8080, when left out

CULVERT_WEBHOOK_SECRET (whsec_...) signs, when it is set; else a secret of this run.`

const options = {
  'forward-to': { type: 'string' },
  types: { type: 'string' },
  since: { type: 'string' },
  'api-key-file': { type: 'string' },
  url: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

/** @returns the exit code: 0 done, 1 failed, 2 not understood */
export async function runCommand(argv: readonly string[], io: CommandIo): Promise<number> {
  try {
    const { values, positionals } = parse(argv)
    if (values.help || positionals.length === 0) {
      io.out(usage)
      return values.help ? 0 : 2
    }
    if (positionals.join(' ') !== 'listen') throw new UsageError(`There is no command \`${positionals.join(' ')}\`.`)
    await listen(
      createClient({
        baseUrl: webUrl(values.url ?? io.env['CULVERT_API_URL'] ?? 'http://127.0.0.1:8080', '--url').href,
        key: await readApiKey(values['api-key-file'], io.env),
      }),
      {
        forwardTo: webUrl(values['forward-to'] ?? '', '--forward-to'),
        types: values.types?.split(',').map((type) => type.trim()) ?? [],
        since: values.since ?? 'now',
        secret: io.env['CULVERT_WEBHOOK_SECRET'],
        out: io.out,
        signal: io.signal,
      },
    )
    return 0
  } catch (error) {
    if (io.signal.aborted) return 0
    if (error instanceof UsageError) {
      io.err(`${error.message}\n\n${usage}`)
      return 2
    }
    io.err(error instanceof CulvertError ? `${error.code}: ${error.detail}` : (error as Error).message)
    return 1
  }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function webUrl(text: string, option: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') return url
  throw new UsageError(`${option} needs a URL that begins with http:// or https:// and has no password in it.`)
}
