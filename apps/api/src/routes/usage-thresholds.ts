/** /v1/usage-thresholds: tell me when so much is used. */
import {
  DomainError,
  UsageThresholdId,
  UsageThresholdInput,
  UsageThresholdPatch,
  UsageThresholdQuery,
  type UsageThreshold,
} from '@culvert/contracts'
import {
  addThreshold,
  changeThreshold,
  deleteThreshold,
  listThresholds,
  readThreshold,
  type ThresholdRecord,
} from '@culvert/db'
import { Type } from 'typebox'
import { writeOptions } from '../author.ts'
import type { Api, ApiContext } from '../context.ts'
import { readPage, writePage } from '../paging.ts'
import { ifMatch, setEtag } from '../preconditions.ts'
import { empty, json, problems } from '../responses.ts'

const params = Type.Object({ thresholdId: UsageThresholdId }, { additionalProperties: false })
const tags = ['usage']
const threshold = (description: string) => json(Type.Ref('UsageThreshold'), description)
const usualPercents = [80, 100]

export function usageThresholdRoutes(api: Api, context: ApiContext): void {
  reading(api, context)
  making(api, context)
  changing(api, context)
}

function reading(api: Api, { pool }: ApiContext): void {
  api.get(
    '/usage-thresholds',
    {
      config: { permission: 'usage:read' },
      schema: {
        operationId: 'listUsageThresholds',
        summary: 'List thresholds of usage, newest first',
        tags,
        querystring: UsageThresholdQuery,
        response: {
          200: json(Type.Ref('UsageThresholdPage'), 'A page of thresholds.'),
          ...problems('invalid_cursor'),
        },
      },
    },
    async ({ organizationId, query }) => {
      const { name, deviceId, tag } = query
      const list = ['usage-thresholds', organizationId, name, deviceId, tag]
      const page = await listThresholds(pool, organizationId, { name, deviceId, tag }, readPage(query, list))
      return writePage(page, list, thresholdView)
    },
  )

  api.get(
    '/usage-thresholds/:thresholdId',
    {
      config: { permission: 'usage:read' },
      schema: {
        operationId: 'getUsageThreshold',
        summary: 'Read a threshold of usage',
        tags,
        params,
        response: { 200: threshold('The threshold.'), ...problems('not_found') },
      },
    },
    async ({ organizationId, params: { thresholdId } }, reply) => {
      const record = await readThreshold(pool, organizationId, thresholdId)
      if (!record) throw new DomainError('not_found')
      setEtag(reply, record.version)
      return thresholdView(record)
    },
  )
}

function making(api: Api, { pool }: ApiContext): void {
  api.post(
    '/usage-thresholds',
    {
      config: { permission: 'usage:write' },
      schema: {
        operationId: 'createUsageThreshold',
        summary: 'Tell when so much of a day or month is used',
        description:
          'Of a device, of all devices with a tag, or of the organization. An event `usage.threshold` is written for each percent, once in a period; what is reached already is told too.',
        tags,
        body: UsageThresholdInput,
        response: { 201: threshold('Made.'), ...problems('not_found', 'threshold_limit') },
      },
    },
    async (request, reply) => {
      const { deviceId = null, tag = null, percents = usualPercents, ...rest } = request.body
      if (deviceId !== null && tag !== null) {
        const error = { in: 'body', pointer: '/tag', message: 'is never together with `deviceId`' } as const
        throw new DomainError('validation_failed', { publicDetail: `body /tag ${error.message}.`, errors: [error] })
      }
      const wanted = { ...rest, deviceId, tag, percents: rising(percents) }
      const record = await addThreshold(pool, request.organizationId, wanted, writeOptions(request))
      if (typeof record === 'string') throw new DomainError(record)
      setEtag(reply, record.version)
      return reply.code(201).header('location', `/v1/usage-thresholds/${record.id}`).send(thresholdView(record))
    },
  )
}

function changing(api: Api, { pool }: ApiContext): void {
  api.patch(
    '/usage-thresholds/:thresholdId',
    {
      config: { permission: 'usage:write' },
      schema: {
        operationId: 'updateUsageThreshold',
        summary: 'Change a threshold of usage',
        description: 'With other octets or percents it tells anew what is reached in this period.',
        tags,
        params,
        body: UsageThresholdPatch,
        response: { 200: threshold('Changed.'), ...problems('not_found', 'precondition_failed') },
      },
    },
    async (request, reply) => {
      const { organizationId, body } = request
      const key = { organizationId, id: request.params.thresholdId, ifVersion: ifMatch(request) }
      const change = { ...body, percents: body.percents && rising(body.percents) }
      const record = await changeThreshold(pool, key, change, writeOptions(request))
      if (typeof record === 'string') throw new DomainError(record === 'changed' ? 'precondition_failed' : record)
      setEtag(reply, record.version)
      return thresholdView(record)
    },
  )

  api.delete(
    '/usage-thresholds/:thresholdId',
    {
      config: { permission: 'usage:write' },
      schema: {
        operationId: 'deleteUsageThreshold',
        summary: 'Delete a threshold of usage',
        tags,
        params,
        response: { 204: empty('Deleted.'), ...problems('not_found', 'precondition_failed') },
      },
    },
    async (request, reply) => {
      const { organizationId } = request
      const key = { organizationId, id: request.params.thresholdId, ifVersion: ifMatch(request) }
      const deleted = await deleteThreshold(pool, key, writeOptions(request))
      if (deleted !== 'deleted') throw new DomainError(deleted === 'changed' ? 'precondition_failed' : deleted)
      return reply.code(204).send(null)
    },
  )
}

function rising(percents: readonly number[]): number[] {
  return percents.toSorted((a, b) => a - b)
}

function thresholdView({ toldPeriod, createdAt, updatedAt, ...row }: ThresholdRecord): UsageThreshold {
  return {
    ...row,
    toldPeriod: toldPeriod?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  }
}
