/** A device's attachment with its SAs, detaching it, and the concentrators. */
import { DeviceId, DomainError, WaitQuery } from '@culvert/contracts'
import { findDevice, isDetached, listConcentrators, readAttachment, requestDetach } from '@culvert/db'
import { Type } from 'typebox'
import { writeOptions } from '../author.ts'
import { hintNodes, type Api, type ApiContext } from '../context.ts'
import { callerSignal, waitMs } from '../preconditions.ts'
import { empty, json, problems } from '../responses.ts'
import { attachmentView, concentratorView } from '../views.ts'

const params = Type.Object({ deviceId: DeviceId }, { additionalProperties: false })

export function attachmentRoutes(api: Api, context: ApiContext): void {
  const { pool, queues, changes } = context
  api.get(
    '/devices/:deviceId/attachment',
    {
      config: { permission: 'attachments:read' },
      schema: {
        operationId: 'getAttachment',
        summary: 'How the device is attached: IKE SAs and Child SAs with transforms, selectors, counters and ages',
        tags: ['attachments'],
        params,
        response: {
          200: json(Type.Ref('Attachment'), 'The present attachment, or the last one.'),
          ...problems('not_found', 'device_not_attached'),
        },
      },
    },
    async ({ organizationId, params: { deviceId } }) => {
      const row = await readAttachment(pool, organizationId, deviceId)
      if (row) return attachmentView(row, new Date())
      if (!(await findDevice(pool, organizationId, deviceId))) throw new DomainError('not_found')
      throw new DomainError('device_not_attached', { publicDetail: 'The device has never attached.' })
    },
  )

  api.delete(
    '/devices/:deviceId/attachment',
    {
      config: { permission: 'attachments:write' },
      schema: {
        operationId: 'detachDevice',
        summary: 'Detach the device now',
        description: 'Its SAs are deleted. The device may come back at once: revoke its credentials to keep it out.',
        tags: ['attachments'],
        params,
        querystring: WaitQuery,
        response: {
          202: json(Type.Ref('Attachment'), 'Asked for, not done yet.'),
          204: empty('Detached.'),
          ...problems('not_found', 'device_not_attached'),
        },
      },
    },
    async (request, reply) => {
      const { organizationId } = request
      const { deviceId } = request.params
      if (!(await findDevice(pool, organizationId, deviceId))) throw new DomainError('not_found')
      const asked = await requestDetach(pool, { organizationId, deviceId }, writeOptions(request))
      if (!asked) throw new DomainError('device_not_attached')
      hintNodes(queues, { gateways: [], concentrators: [asked.concentratorId] }, 'device.detach')
      const detached = await changes.until({
        id: deviceId,
        timeoutMs: waitMs(request, request.query.wait),
        signal: callerSignal(request, reply),
        read: () => isDetached(pool, organizationId, deviceId, asked.generation),
        done: Boolean,
      })
      const row = detached ? null : await readAttachment(pool, organizationId, deviceId)
      return row ? reply.code(202).send(attachmentView(row, new Date())) : reply.code(204).send(null)
    },
  )

  api.get(
    '/concentrators',
    {
      config: { permission: 'installation:read' },
      schema: {
        operationId: 'listConcentrators',
        summary: 'Concentrators that devices attach to',
        tags: ['concentrators'],
        response: { 200: json(Type.Ref('ConcentratorList'), 'All of them.'), ...problems() },
      },
    },
    async () => ({ data: (await listConcentrators(pool)).map(concentratorView) }),
  )
}
