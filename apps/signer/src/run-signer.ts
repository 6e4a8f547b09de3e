/**
 * The signer's loop: everything that waits for the authority's key is done in one pass, whoever woke it. A lost or doubled wake
 * changes nothing; while the database is away it waits. One request that cannot be decided does not keep the others back.
 */
import {
  decideCertificate,
  decideGateway,
  isDatabaseUnavailable,
  listen,
  openPool,
  publishAuthority,
  readPendingCertificates,
  readPendingGateways,
  signerChannel,
  type Decision,
} from '@culvert/db'
import { createLogger, type Logger } from '@culvert/observability'
import { concentratorQueue, openQueues, signerQueue } from '@culvert/queue'
import type { LoadedAuthority } from './load-authority.ts'
import { renewRevocationList } from './revocation-list.ts'
import { signDevice, signGateway, type Lifetimes, type SigningPolicy } from './sign.ts'

export interface SignerOptions {
  readonly databaseUrl: string
  readonly redisUrl?: string | undefined
  readonly authority: LoadedAuthority
  /** Whose place it takes: it goes on saying what is revoked, and certifies concentrators for the devices that check it. */
  readonly former?: LoadedAuthority | undefined
  readonly lifetimes?: Lifetimes | undefined
  readonly crlUrl?: string | undefined
  readonly logger?: Logger | undefined
  /** Longest pause between two passes. */
  readonly intervalMs?: number | undefined
}

export interface RunningSigner {
  /** Resolves when everything that was due at the time of the call has been done. */
  pass(): Promise<void>
  close(): Promise<void>
}

const DAY_MS = 86_400_000
const BATCH = 50

/** Returns at once, also while the database is away. */
export function runSigner(options: SignerOptions): RunningSigner {
  const { databaseUrl, redisUrl, authority, former, logger = createLogger('signer', 'silent') } = options
  const all = former === undefined ? [authority] : [authority, former]
  const policy: SigningPolicy = {
    lifetimes: options.lifetimes ?? { deviceMs: 365 * DAY_MS, gatewayMs: 90 * DAY_MS },
    crlUrl: options.crlUrl ?? null,
  }
  const broken = (error: Error): void => logger.debug({ err: error }, 'a connection to the database broke')
  const pool = openPool(databaseUrl, {
    max: 2,
    applicationName: 'culvert-signer',
    role: 'culvert_signer',
    onError: broken,
  })
  const queues = openQueues({ databaseUrl, redisUrl, logger })
  let timer: NodeJS.Timeout | undefined
  let closed = false
  let last: Promise<void> = Promise.resolve()

  const pass = (): Promise<void> => {
    last = last.then(async () => {
      if (closed) return
      clearTimeout(timer)
      await work().catch((error: unknown) => {
        if (isDatabaseUnavailable(error)) logger.debug({ err: error }, 'the database is away; what is due waits')
        else logger.error({ err: error }, 'a pass failed; it is repeated')
      })
      if (!closed) timer = setTimeout(() => void pass(), options.intervalMs ?? 5_000)
    })
    return last
  }

  const work = async (): Promise<void> => {
    await publishAuthority(pool, { ...authority, notAfter: new Date(authority.notAfterMs) })
    await signDevices()
    for (const pending of await readPendingGateways(pool)) {
      const decision = await decide(() => signGateway(all, policy, pending, Date.now()))
      if (!(await decideGateway(pool, pending, decision))) continue
      logger.info({ node: pending.concentratorId, decision: decision.kind }, 'a concentrator asked for its certificate')
      void queues.hint(concentratorQueue(pending.concentratorId), 'policy.changed')
    }
    for (const each of all) {
      if (await renewRevocationList(pool, each, Date.now())) logger.info({}, 'a new revocation list is out')
    }
  }

  /** Until nothing is left: each round decides what it has read, or somebody else has. */
  const signDevices = async (): Promise<void> => {
    for (;;) {
      const batch = await readPendingCertificates(pool, BATCH)
      for (const pending of batch) {
        const decision = await decide(() => signDevice(authority, policy, pending, Date.now()))
        const nodes = await decideCertificate(pool, pending, decision)
        if (!nodes) continue
        logger.info({ credentialId: pending.id, decision: decision.kind }, 'a device asked for a certificate')
        for (const node of nodes) void queues.hint(concentratorQueue(node), 'policy.changed')
      }
      if (batch.length < BATCH || closed) return
    }
  }

  /** A fault of ours is the end of the one request that met it. */
  const decide = async (sign: () => Promise<Decision>): Promise<Decision> => {
    try {
      return await sign()
    } catch (error) {
      logger.error({ err: error }, 'a request could not be signed')
      return { kind: 'refused', refusal: 'The signer met an error of its own' }
    }
  }

  const listener = listen(databaseUrl, [signerChannel], () => void pass(), {
    applicationName: 'culvert-signer-listen',
    role: 'culvert_signer',
    onError: broken,
  })
  queues.workNode(signerQueue, () => pass())
  void pass()
  return {
    pass,
    close: async () => {
      closed = true
      clearTimeout(timer)
      await listener.close()
      await last
      clearTimeout(timer)
      await queues.close()
      await pool.end()
    },
  }
}
