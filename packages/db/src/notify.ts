/**
 * NOTIFY inside a transaction: delivered when it commits, dropped when it rolls back. A notice says where to look, never
 * what to do; it holds an id at most.
 */
export interface SqlRunner {
  query(text: string, values?: unknown[]): Promise<unknown>
}

/** Channel with the id of every tunnel whose state changed. */
export const tunnelChangedChannel = 'tunnel_changed'
/** Channel with the id of every device that was attached or detached. */
export const deviceChangedChannel = 'device_changed'
/** Channel with the id of every certificate credential that the signer has issued or refused. */
export const credentialChangedChannel = 'credential_changed'
/** Channel with the id of every operation that is done. */
export const operationChangedChannel = 'operation_changed'
/** Channel with the name of every Idempotency-Key whose request came to an end. */
export const answerKeptChannel = 'answer_kept'
/** Channel without payload: events were committed that have no position in the feed yet. A trigger tells. */
export const eventAppendedChannel = 'event_appended'
/** Channel with the id of every organization whose feed has new events. */
export const feedMovedChannel = 'feed_moved'
/** Channel without payload: runs of automation rules were made. */
export const ruleRunDueChannel = 'rule_run_due'
/** Channel of the signer: a certificate is asked for, or one was revoked. */
export const signerChannel = 'signer'

export function gatewayChannel(nodeId: string): string {
  return `gateway_${nodeId}`
}

export function concentratorChannel(nodeId: string): string {
  return `concentrator_${nodeId}`
}

export async function notify(sql: SqlRunner, channel: string, payload: string): Promise<void> {
  await sql.query('SELECT pg_notify($1, $2)', [channel, payload])
}

/** One notice for each payload, in one statement. */
export async function notifyEach(sql: SqlRunner, channel: string, payloads: readonly string[]): Promise<void> {
  if (payloads.length === 0) return
  await sql.query('SELECT count(pg_notify($1, payload)) FROM json_array_elements_text($2) AS v(payload)', [
    channel,
    JSON.stringify(payloads),
  ])
}
