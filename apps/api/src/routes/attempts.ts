/** /v1/devices/{deviceId}/attempts: why a device does not attach. */
import { AttachAttemptQuery, DeviceId, DomainError } from '@culvert/contracts'
import { findDevice, listAttempts } from '@culvert/db'
import { Type } from 'typebox'
import type { Api, ApiContext } from '../context.ts'
import { dateOf } from '../list-query.ts'
import { readPage, writePage } from '../paging.ts'
import { json, problems } from '../responses.ts'
import { attemptView, effectiveTiersOf } from '../views.ts'

export function attemptRoutes(api: Api, { pool }: ApiContext): void {
  api.get(
    '/devices/:deviceId/attempts',
    {
      config: { permission: 'attachments:read' },
      schema: {
        operationId: 'listAttempts',
        summary: 'Failed attempts of the device to attach, newest first',
        description:
          'The last hundred, for 30 days. One that ended before it gave an identity is here only if it came from where this device was last and nobody else was.',
        tags: ['attachments'],
        params: Type.Object({ deviceId: DeviceId }, { additionalProperties: false }),
        querystring: AttachAttemptQuery,
        response: {
          200: json(Type.Ref('AttachAttemptPage'), 'A page of attempts.'),
          ...problems('not_found', 'invalid_cursor'),
        },
      },
    },
    async ({ organizationId, params: { deviceId }, query }) => {
      const device = await findDevice(pool, organizationId, deviceId)
      if (!device) throw new DomainError('not_found')
      const { stage, reason } = query
      const filter = { stage, reason, from: dateOf(query.from), before: dateOf(query.before) }
      const list = ['attempts', organizationId, deviceId, filter]
      const page = await listAttempts(pool, { organizationId, deviceId }, filter, readPage(query, list))
      const allowed = effectiveTiersOf(device)
      return writePage(page, list, (row) => attemptView(row, allowed))
    },
  )
}
