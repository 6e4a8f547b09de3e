/** A device's attachment with its SAs, detaching it, and the list of all. */
import { AttachmentQuery, DeviceId, DomainError, WaitQuery } from '@culvert/contracts'
import { findDevice, isDetached, listAttachments, readAttachment, requestDetach } from '@culvert/db'
import { hintNodes } from '@culvert/queue'
import { Type } from 'typebox'
import { writeOptions } from '../author.ts'
import type { Api, ApiContext } from '../context.ts'
import { askedList, dateOf, listed } from '../list-query.ts'
import { callerSignal, waitMs } from '../preconditions.ts'
import { empty, json, problems } from '../responses.ts'
import { attachmentSummaryView, attachmentView } from '../views.ts'

const params = Type.Object({ deviceId: DeviceId }, { additionalProperties: false })

export function attachmentRoutes(api: Api, context: ApiContext): void {
  const { pool, queues, changes } = context
  readRoutes(api, pool)
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
        organizationId: request.organizationId,
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
}

function readRoutes(api: Api, pool: ApiContext['pool']): void {
  const tags = ['attachments']
  api.get(
    '/attachments',
    {
      config: { permission: 'attachments:read' },
      schema: {
        operationId: 'listAttachments',
        summary: 'Attachments of all devices, without their SAs',
        description: listed,
        tags,
        querystring: AttachmentQuery,
        response: { 200: json(Type.Ref('AttachmentPage'), 'A page of attachments.'), ...problems('invalid_cursor') },
      },
    },
    async ({ organizationId, query }) => {
      const { limit: _limit, cursor: _cursor, sort = 'deviceId', seenFrom, seenBefore, ...equal } = query
      const filter = { ...equal, seenFrom: dateOf(seenFrom), seenBefore: dateOf(seenBefore) }
      const { page, answer } = askedList(query, ['attachments', organizationId, filter], sort)
      return answer(await listAttachments(pool, organizationId, filter, page), attachmentSummaryView)
    },
  )

  api.get(
    '/devices/:deviceId/sas',
    {
      config: { permission: 'attachments:read' },
      schema: {
        operationId: 'listSas',
        summary:
          'What was negotiated with the device: its IKE SAs with their Child SAs, counters and time since the last rekey',
        description:
          'None while it is not attached. `ageSec` counts from when the SA was made, by an attachment or a rekey.',
        tags,
        params,
        response: { 200: json(Type.Ref('SaList'), 'Newest first.'), ...problems('not_found') },
      },
    },
    async ({ organizationId, params: { deviceId } }) => {
      if (!(await findDevice(pool, organizationId, deviceId))) throw new DomainError('not_found')
      const row = await readAttachment(pool, organizationId, deviceId)
      return { data: row ? attachmentView(row, new Date()).ikeSas : [] }
    },
  )
}
