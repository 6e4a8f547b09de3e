/** Whom the audit log names for what a request does. */
import type { Author, WriteOptions } from '@culvert/db'
import type { FastifyRequest } from 'fastify'

export function authorOf(request: FastifyRequest): Author {
  const { kind, id } = request.actor
  return { kind, id, requestId: request.id, address: request.ip }
}

/** What every write function of package db takes last. */
export function writeOptions(request: FastifyRequest): WriteOptions {
  return { by: authorOf(request) }
}
