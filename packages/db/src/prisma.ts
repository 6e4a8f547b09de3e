/** The generated Prisma client on a pool of ours, so that a process has one pool for both. */
import { PrismaPg } from '@prisma/adapter-pg'
import type pg from 'pg'
import { PrismaClient } from './generated/prisma/client.ts'
import { openPool, type PoolOptions } from './pool.ts'

export type Database = PrismaClient

/** @param source a pool that stays the caller's to close, or a URL for a pool of its own, closed by `$disconnect()` */
export function connectPrisma(source: string | pg.Pool, options: PoolOptions = {}): Database {
  const own = typeof source === 'string'
  const adapter = new PrismaPg(own ? openPool(source, options) : source, { disposeExternalPool: own })
  return new PrismaClient({ adapter })
}
