/** Whatever a test of the API made happen was written down as the catalogue of events says. */
import { eventCatalogue, eventSchema, registerFormats, type EventType } from '@culvert/contracts'
import type { Pool } from '@culvert/db'
import { Value } from 'typebox/value'

/** @throws an error that names each type and field that is not in the catalogue */
export async function checkEvents(pool: Pool): Promise<void> {
  registerFormats()
  const { rows } = await pool.query<{ id: string; type: string; resource_id: string; sequence: string; data: unknown }>(
    'SELECT id, type, resource_id, sequence, data FROM events',
  )
  const faults = rows.flatMap(({ id, type, resource_id: resourceId, sequence, data }) => {
    if (!Object.hasOwn(eventCatalogue, type)) return [`${type} is not there`]
    const event = { id, type, timestamp: new Date().toISOString(), resourceId, sequence: Number(sequence), data }
    return Value.Errors(eventSchema(type as EventType), event).map(
      ({ instancePath, message }) => `${type} ${instancePath} ${message}: ${JSON.stringify(event)}`,
    )
  })
  if (faults.length > 0)
    throw new Error(`the eventCatalogue of packages/contracts/src/events.ts differs:\n${faults.join('\n')}`)
}
