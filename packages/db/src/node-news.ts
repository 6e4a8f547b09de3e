/**
 * Nodes come, stop and are lost: told to the organizations whose devices or tunnels they hold, each of which has a sequence of its
 * own, so that none learns of the others. Whoever operates the installation reads the log and the metrics.
 */
import type { SqlRunner } from './notify.ts'
import { appendEvents } from './outbox.ts'

type ConcentratorNews = 'concentrator.online' | 'concentrator.draining' | 'concentrator.stopped' | 'concentrator.lost'
type GatewayNews = 'gateway.online' | 'gateway.draining' | 'gateway.stopped' | 'gateway.lost'

interface Share {
  readonly organizationId: string
  readonly count: number
}

/** To the organizations whose devices are there or were there last. */
export async function tellOfConcentrator(tx: SqlRunner, concentratorId: string, type: ConcentratorNews): Promise<void> {
  const { rows } = (await tx.query(
    'SELECT organization_id AS "organizationId", count(*)::int AS count FROM attachments WHERE concentrator_id = $1 GROUP BY 1',
    [concentratorId],
  )) as { rows: Share[] }
  await appendEvents(
    tx,
    rows.map(({ organizationId, count: devices }) => ({
      organizationId,
      type,
      resourceId: organizationId,
      data: { concentratorId, devices },
    })),
  )
}

/** To the organizations whose tunnels listen there. */
export async function tellOfGateway(tx: SqlRunner, gatewayId: string, type: GatewayNews): Promise<void> {
  const { rows } = (await tx.query(
    `SELECT organization_id AS "organizationId", count(DISTINCT tunnel_id)::int AS count FROM tunnel_ports
     WHERE gateway_id = $1 AND desired = 'listen' GROUP BY 1`,
    [gatewayId],
  )) as { rows: Share[] }
  await appendEvents(
    tx,
    rows.map(({ organizationId, count: tunnels }) => ({
      organizationId,
      type,
      resourceId: organizationId,
      data: { gatewayId, tunnels },
    })),
  )
}
