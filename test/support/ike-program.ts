/**
 * A program of ours that talks IKE in a namespace of a lab, steered by a test: one command a line goes in, one event a line comes
 * out, both as JSON. `responder-program.ts` and `initiator-program.ts` are such programs.
 */
import { spawn } from 'node:child_process'
import path from 'node:path'
import type { GatewayIdentity, IkeEvent } from '@culvert/ikev2'
import { type Namespace, waitFor } from '@culvert/testkit'

/** What a program is told; it adds the SAs in use. */
export type Told =
  | { readonly kind: 'rekeyIke' | 'rekeyChild' | 'checkLiveness' | 'deleteIke' | 'createChild' }
  | { readonly kind: 'redirect'; readonly to: GatewayIdentity }
  /** An address of ours that the namespace has by now. */
  | { readonly kind: 'moveTo'; readonly address: string }

/** An event, and how many Child SAs there were then. */
export type Heard = IkeEvent & { readonly children: number }
type Kind = IkeEvent['kind']
type HeardOf<K extends Kind> = Extract<Heard, { readonly kind: K }>

export type IkeProgramName = 'responder-program' | 'initiator-program'

export interface IkeProgram {
  tell(command: Told): void
  /** Events of this kind so far. */
  heard<K extends Kind>(kind: K): readonly HeardOf<K>[]
  /** Waits until there are `count` events of this kind. @returns the last of these */
  expectEvent<K extends Kind>(kind: K, count?: number): Promise<HeardOf<K>>
  /** Everything it wrote. */
  output(): string
  stop(): Promise<void>
}

/** @param args of the program: addresses, options as JSON. @returns once it is listening */
export async function startIkeProgram(
  namespace: Namespace,
  program: IkeProgramName,
  args: readonly string[],
): Promise<IkeProgram> {
  const file = path.join(import.meta.dirname, `${program}.ts`)
  const command = ['netns', 'exec', namespace.name, process.execPath, '--conditions=source', file, ...args]
  const child = spawn('ip', command, { stdio: ['pipe', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  }
  child.stdin.on('error', () => {}) // it may have ended
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const heard = <K extends Kind>(kind: K): readonly HeardOf<K>[] => {
    const lines = output.slice(0, output.lastIndexOf('\n') + 1).split('\n')
    const events = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Heard)
    return events.filter((event): event is HeardOf<K> => event.kind === kind)
  }
  const started: IkeProgram = {
    tell: (told) => void child.stdin.write(`${JSON.stringify(told)}\n`),
    heard,
    async expectEvent(kind, count = 1) {
      const find = (): ReturnType<typeof heard<typeof kind>>[number] | undefined => heard(kind)[count - 1]
      return waitFor(find, { timeoutMs: 15_000, message: `${count} x ${kind}` }).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${output}`, { cause: error })
      })
    },
    output: () => output,
    async stop() {
      child.kill()
      await ended
    },
  }
  await waitFor(() => output.includes('"ready"') || child.exitCode !== null, {
    timeoutMs: 20_000,
    message: program,
  }).catch(async (error: unknown) => {
    await started.stop()
    throw new Error(`${String(error)}\n${output}`, { cause: error })
  })
  if (child.exitCode !== null) throw new Error(`${program} ended: ${output}`)
  return started
}
