/**
 * Does a step of a run that changes rows: what it changes, that it was done, and what it led to commit together, so that no crash
 * opens a tunnel twice. Whether the maker may is asked in the same transaction.
 */
import type { RuleAction, RuleStep } from '@culvert/lifecycle'
import type { Pool } from 'pg'
import { appendAudit } from '../audit.ts'
import type { Author } from '../author.ts'
import { revokeCredentialIn } from '../credentials.ts'
import { changeDevices } from '../device-batch-change.ts'
import { tagsGrantedTo } from '../grant-match.ts'
import type { Touched } from '../nodes.ts'
import { inTenantTransaction } from '../tenant.ts'
import type { TenantSql } from '../tenant-sql.ts'
import { endTunnel, lockTunnel } from '../tunnel-end.ts'
import { openTunnelIn } from '../tunnels.ts'
import { filterOf } from '../webhooks/matching.ts'
import { standingOf, type MakerStanding } from './rule-maker.ts'
import { holdRun, recordStep, type RunClaim, type StepResult } from './rule-runs.ts'

export interface StepOrder {
  readonly step: RuleStep
  readonly action: RuleAction
  /** Of a tunnel to be opened; null: its hours are over. */
  readonly ttlSec: number | null
  /** How far the rights of the maker go. */
  readonly judge: (standing: MakerStanding) => 'any' | 'granted' | 'none'
}

export type StepOutcome = { readonly run: RunClaim; readonly touched: Touched } | 'maker_gone' | 'permission_missing'

interface Done extends Partial<Pick<StepResult, 'code' | 'detail' | 'tunnelId'>> {
  readonly touched?: Touched
  /** What was changed, for the depth of what follows. */
  readonly effects?: readonly string[]
}

const nobody: Touched = { gateways: [], concentrators: [] }

/** @throws RunLostError when another worker has the run */
export function doStep(pool: Pool, run: RunClaim, order: StepOrder): Promise<StepOutcome> {
  return inTenantTransaction(pool, run.organizationId, async (tx) => {
    await holdRun(tx, run)
    const standing = await standingOf(tx, run.rule)
    if (!standing) return 'maker_gone'
    const rights = order.judge(standing)
    if (rights === 'none') return 'permission_missing'
    const done = await perform(tx, run, order, rights)
    for (const resourceId of done.effects ?? []) {
      await tx.query(
        `INSERT INTO rule_effects (resource_id, organization_id, depth) VALUES ($1, $2, $3)
         ON CONFLICT (resource_id, at) DO UPDATE SET depth = greatest(rule_effects.depth, excluded.depth)`,
        [resourceId, run.organizationId, run.depth + 1],
      )
    }
    const { code = null, detail = null, tunnelId = null } = done
    const result = { ...order.step, state: code === null ? 'done' : 'failed', code, detail, tunnelId } as const
    return { run: await recordStep(tx, run, result), touched: done.touched ?? nobody }
  })
}

/** The audit log names the maker, and the run as the request. */
function authorOf({ rule, id }: RunClaim): Author {
  return { kind: rule.makerKind, id: rule.makerId, requestId: id, address: null }
}

function perform(tx: TenantSql, run: RunClaim, order: StepOrder, rights: 'any' | 'granted'): Promise<Done> | Done {
  const { action } = order
  const { deviceId } = run
  if (action.kind === 'deliver_webhook') return promise(tx, run, action.endpointId)
  if (deviceId === null) return { code: 'no_device', detail: 'The event is about no device.' }
  switch (action.kind) {
    case 'open_tunnel':
      return open(tx, { run, deviceId }, { ...order, action }, rights)
    case 'close_tunnels':
      return close(tx, { run, deviceId }, action.ports)
    case 'tag_device':
      return addTags(tx, { run, deviceId }, action.tags, rights)
    case 'untag_device':
      return tag(tx, { run, deviceId }, (tags) => tags.filter((one) => !action.tags.includes(one)))
    case 'revoke_credentials':
      return revoke(tx, { run, deviceId })
    case 'call_webhook':
      return { code: 'internal_error', detail: 'A call is no change of rows.' }
  }
}

/** It is delivered with the end of the run (`finishRun`), whose event it is. */
async function promise(tx: TenantSql, { organizationId }: RunClaim, endpointId: string): Promise<Done> {
  const endpoint = await filterOf(tx, organizationId, endpointId)
  return endpoint ? { detail: 'Delivered when the run ends.' } : { code: 'not_found', detail: 'The endpoint is gone.' }
}

interface Aim {
  readonly run: RunClaim
  readonly deviceId: string
}

async function open(
  tx: TenantSql,
  { run, deviceId }: Aim,
  { action, step, ttlSec }: StepOrder & { action: { kind: 'open_tunnel' } },
  rights: 'any' | 'granted',
): Promise<Done> {
  if (ttlSec === null) return { code: 'hours_over', detail: 'The hours of the rule are over.' }
  const { organizationId, rule } = run
  const tunnel = {
    organizationId,
    deviceId,
    devicePort: step.port ?? 0,
    deviceHost: action.host,
    ttlSec,
    allowFrom: action.allowFrom,
    waitForDevice: false,
    maxBytes: null,
    rateLimit: null,
  }
  const opened = await openTunnelIn(tx, tunnel, {
    by: authorOf(run),
    ...(rights === 'granted' ? { grantedTo: { kind: rule.makerKind, id: rule.makerId } } : {}),
  })
  if (typeof opened === 'string') return { code: opened }
  if ('missing' in opened) return { code: 'not_granted', detail: `No grant of the maker fits: ${opened.missing}.` }
  const touched = { gateways: [opened.gatewayId], concentrators: opened.concentrators }
  return { tunnelId: opened.id, touched, effects: [opened.id] }
}

async function close(tx: TenantSql, { run, deviceId }: Aim, ports: readonly number[] | null): Promise<Done> {
  const { organizationId } = run
  const { rows } = await tx.query<{ id: string }>(
    `SELECT t.id FROM tunnels t WHERE t.organization_id = $1 AND t.device_id = $2
       AND t.state IN ('requested', 'waiting_for_device', 'opening', 'open')
       AND ($3::int[] IS NULL OR EXISTS (SELECT 1 FROM tunnel_ports p WHERE p.organization_id = $1 AND p.tunnel_id = t.id AND p.device_port = ANY($3)))
     ORDER BY t.id`,
    [organizationId, deviceId, ports],
  )
  const gateways = new Set<string>()
  for (const { id } of rows) {
    const tunnel = await lockTunnel(tx, id, organizationId)
    const told = tunnel && (await endTunnel(tx, tunnel, 'requested'))
    if (!tunnel || !told) continue
    for (const gateway of told) gateways.add(gateway)
    const entry = { organizationId, by: authorOf(run), action: 'tunnel.closed', targetType: 'tunnel', targetId: id }
    await appendAudit(tx, { ...entry, before: { deviceId, state: tunnel.state } })
  }
  return {
    detail: `${rows.length} closed`,
    touched: { gateways: [...gateways], concentrators: [] },
    effects: rows.map(({ id }) => id),
  }
}

/** Who may open only what is granted to it lets no rule put a tag of its grants on a device. */
async function addTags(tx: TenantSql, aim: Aim, added: readonly string[], rights: 'any' | 'granted'): Promise<Done> {
  const { organizationId, rule } = aim.run
  if (rights === 'granted') {
    const holder = { kind: rule.makerKind, id: rule.makerId }
    const withheld = (await tagsGrantedTo(tx, organizationId, holder)).find((one) => added.includes(one))
    if (withheld !== undefined) return { code: 'not_granted', detail: `A grant of the maker is for \`${withheld}\`.` }
  }
  return tag(tx, aim, (tags) => [...new Set([...tags, ...added])])
}

/** As many as a device may have. */
const maxTags = 32

async function tag(
  tx: TenantSql,
  { run, deviceId }: Aim,
  change: (tags: readonly string[]) => string[],
): Promise<Done> {
  const { organizationId } = run
  let isFull = false
  const outcome = await changeDevices(tx, { organizationId, ids: [deviceId], by: authorOf(run) }, ({ tags }) => {
    const wanted = change(tags)
    isFull = wanted.length > maxTags
    return isFull ? {} : { tags: wanted }
  })
  if (isFull) return { code: 'too_many_tags', detail: `A device has ${maxTags} tags at most.` }
  return outcome.changed === 0 ? { detail: 'Nothing to change.' } : { touched: outcome.touched, effects: [deviceId] }
}

async function revoke(tx: TenantSql, { run, deviceId }: Aim): Promise<Done> {
  const { organizationId } = run
  const { rows } = await tx.query<{ id: string }>(
    'SELECT id FROM credentials WHERE organization_id = $1 AND device_id = $2 AND revoked_at IS NULL ORDER BY id',
    [organizationId, deviceId],
  )
  const gateways = new Set<string>()
  const concentrators = new Set<string>()
  for (const { id } of rows) {
    const touched = await revokeCredentialIn(tx, { organizationId, deviceId, id }, { by: authorOf(run) })
    if (typeof touched === 'string') continue
    for (const gateway of touched.gateways) gateways.add(gateway)
    for (const concentrator of touched.concentrators) concentrators.add(concentrator)
  }
  return {
    detail: `${rows.length} revoked`,
    touched: { gateways: [...gateways], concentrators: [...concentrators] },
    effects: rows.map(({ id }) => id),
  }
}
