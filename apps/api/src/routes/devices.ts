/** /v1/devices: registration, reading, change, deletion. */
import {
  canonicalCidr,
  DeviceId,
  DeviceInput,
  DevicePatch,
  DeviceQuery,
  DomainError,
  type FieldError,
  lanPrefixFault,
} from '@culvert/contracts'
import { changeDevice, createDevice, deleteDevice, findDevice, innerAddressRange, listDevices } from '@culvert/db'
import { hintNodes } from '@culvert/queue'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { writeOptions } from '../author.ts'
import type { Api, ApiContext } from '../context.ts'
import { deviceFilterOf, deviceSortOf } from '../device-query.ts'
import { listed } from '../list-query.ts'
import { readPosition, writePosition } from '../paging.ts'
import { ifMatch, setEtag } from '../preconditions.ts'
import { empty, json, problems } from '../responses.ts'
import { deviceView } from '../views.ts'
import { refuseWithheld, withheldTags } from '../withheld-tags.ts'

const params = Type.Object({ deviceId: DeviceId }, { additionalProperties: false })
const tags = ['devices']

export function deviceRoutes(api: Api, context: ApiContext): void {
  registration(api, context)
  const { pool } = context

  api.get(
    '/devices',
    {
      config: { permission: 'devices:read' },
      schema: {
        operationId: 'listDevices',
        summary: 'List devices',
        description: listed,
        tags,
        querystring: DeviceQuery,
        response: { 200: json(Type.Ref('DevicePage'), 'A page of devices.'), ...problems('invalid_cursor') },
      },
    },
    async ({ organizationId, query }) => {
      const { limit = 50, cursor: _, ...rest } = query
      const [filter, sort] = [deviceFilterOf(rest), deviceSortOf(rest)]
      const list = ['devices', organizationId, filter, sort]
      const after = readPosition(query, list, sort.by)
      const page = await listDevices(pool, organizationId, filter, { limit, sort, after })
      return { data: page.rows.map(deviceView), nextCursor: writePosition(page.next, list) }
    },
  )

  api.get(
    '/devices/:deviceId',
    {
      config: { permission: 'devices:read' },
      schema: {
        operationId: 'getDevice',
        summary: 'Read a device',
        tags,
        params,
        response: { 200: json(Type.Ref('Device'), 'The device.'), ...problems('not_found') },
      },
    },
    async (request, reply) => {
      const device = await findDevice(pool, request.organizationId, request.params.deviceId)
      if (!device) throw new DomainError('not_found')
      setEtag(reply, device.version)
      return deviceView(device)
    },
  )
}

function registration(api: Api, { pool, zone, pool6Prefix, queues, servicePrefix }: ApiContext): void {
  api.post(
    '/devices',
    {
      config: { permission: 'devices:write' },
      schema: {
        operationId: 'createDevice',
        summary: 'Register a device',
        description: 'Gives the device a stable inner address and the identity it claims in IKEv2.',
        tags,
        body: DeviceInput,
        response: { 201: json(Type.Ref('Device'), 'Registered.'), ...problems('duplicate_iccid', 'network_full') },
      },
    },
    async (request, reply) => {
      const { organizationId, body } = request
      refuseWithheld(await withheldTags(pool, request.actor), body.tags ?? [])
      const { iccid, imsi = null, imei = null, eid = null, name = null, tags: labels = [], tunnelable = true } = body
      const { proposalTiers = null, lanPrefixes = [] } = body
      const wanted = {
        organizationId,
        zone,
        pool6Prefix,
        iccid,
        imsi,
        imei,
        eid,
        name,
        tags: labels,
        tunnelable,
        lanPrefixes: lansOf(lanPrefixes, servicePrefix),
        proposalTiers,
      }
      const device = await createDevice(pool, { ...wanted, networkId: body.networkId }, writeOptions(request))
      if (device === 'unknown_network')
        throw new DomainError('validation_failed', {
          publicDetail: 'body /networkId is no network of this organization.',
          errors: [{ in: 'body', pointer: '/networkId', message: 'is no network of this organization' }],
        })
      if (typeof device === 'string') {
        const field =
          device === 'duplicate_iccid'
            ? [{ in: 'body', pointer: '/iccid', message: 'belongs to another device' } as const]
            : []
        throw new DomainError(device, { errors: field })
      }
      setEtag(reply, device.version)
      return reply.code(201).header('location', `/v1/devices/${device.id}`).send(deviceView(device))
    },
  )

  api.patch(
    '/devices/:deviceId',
    {
      config: { permission: 'devices:write' },
      schema: {
        operationId: 'updateDevice',
        summary: 'Change a device',
        tags,
        params,
        body: DevicePatch,
        response: { 200: json(Type.Ref('Device'), 'Changed.'), ...problems('not_found', 'precondition_failed') },
      },
    },
    async (request, reply) => {
      const key = { organizationId: request.organizationId, id: request.params.deviceId, ifVersion: ifMatch(request) }
      await refuseOwnTags(pool, request)
      const lanPrefixes = request.body.lanPrefixes && lansOf(request.body.lanPrefixes, servicePrefix)
      const changed = await changeDevice(pool, key, { ...request.body, lanPrefixes }, writeOptions(request))
      if (typeof changed === 'string') throw new DomainError(changed === 'changed' ? 'precondition_failed' : changed)
      const { device, touched } = changed
      hintNodes(queues, touched, 'policy.changed')
      setEtag(reply, device.version)
      return deviceView(device)
    },
  )

  api.delete(
    '/devices/:deviceId',
    {
      config: { permission: 'devices:write' },
      schema: {
        operationId: 'deleteDevice',
        summary: 'Delete a device',
        description: 'Revokes its credentials, detaches it and closes its tunnels.',
        tags,
        params,
        response: { 204: empty('Deleted.'), ...problems('not_found', 'precondition_failed') },
      },
    },
    async (request, reply) => {
      const key = { organizationId: request.organizationId, id: request.params.deviceId, ifVersion: ifMatch(request) }
      const touched = await deleteDevice(pool, key, writeOptions(request))
      if (typeof touched === 'string') throw new DomainError(touched === 'changed' ? 'precondition_failed' : touched)
      hintNodes(queues, touched, 'policy.changed')
      return reply.code(204).send(null)
    },
  )
}

/** Those that the device has already stay. @throws forbidden */
async function refuseOwnTags(
  pool: ApiContext['pool'],
  { actor, body, params: { deviceId } }: FastifyRequest<{ Body: DevicePatch; Params: { deviceId: string } }>,
): Promise<void> {
  const withheld = body.tags ? await withheldTags(pool, actor) : []
  if (withheld.length === 0) return
  const before = await findDevice(pool, actor.organizationId, deviceId)
  refuseWithheld(withheld, body.tags?.filter((tag) => !before?.tags.includes(tag)) ?? [], deviceId)
}

/** @returns the prefixes as they are stored @throws DomainError that names each one that can be no LAN */
function lansOf(given: readonly string[], servicePrefix: string): string[] {
  const prefixes = given.map((text) => canonicalCidr(text) ?? text) // the schema has checked the form
  const errors = prefixes.flatMap((prefix, index): FieldError[] => {
    const message = lanPrefixFault(prefix, [innerAddressRange, servicePrefix])
    return message === null ? [] : [{ in: 'body', pointer: `/lanPrefixes/${index}`, message }]
  })
  if (errors.length > 0) throw new DomainError('validation_failed', { errors })
  return [...new Set(prefixes)]
}
