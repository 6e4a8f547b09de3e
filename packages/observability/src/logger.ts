/**
 * One structured JSON line per log call, on standard output unless a stream is given. Everything passes `redact`.
 * Levels: INFO is a state change that someone cares about, WARN is worth waking for, packets are TRACE, addresses and
 * identities of devices are DEBUG.
 */
import { type DestinationStream, type Logger, pino } from 'pino'
import { redact, redactText } from './redact.ts'

export type { Logger }
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'

/**
 * @param name of the process or node, in every line as `name`
 * @param destination standard output when left out
 */
export function createLogger(name: string, level: LogLevel = 'info', destination?: DestinationStream): Logger {
  const options = {
    name,
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields: Record<string, unknown>) => redact(fields) as Record<string, unknown>,
    },
    hooks: {
      logMethod(this: Logger, args: unknown[], method: (...args: unknown[]) => void): void {
        method.apply(
          this,
          args.map((arg) => (typeof arg === 'string' ? redactText(arg) : arg)),
        )
      },
    },
    serializers: { err: redact, error: redact },
  }
  const logger = (destination ? pino(options as never, destination) : pino(options as never)) as Logger
  return guardChildren(logger)
}

/** pino formats a child's bindings itself, past `formatters`; they are cleaned before it sees them. */
function guardChildren(logger: Logger): Logger {
  const { child } = logger
  logger.child = function (this: Logger, bindings: object, options?: object) {
    return child.call(this, redact(bindings) as never, options as never)
  } as Logger['child']
  return logger
}
