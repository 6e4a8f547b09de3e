/**
 * Vitest globalSetup of the projects `service`, `network` and `patient`: one throw-away PostgreSQL for the run (fsync off) whose
 * database `template_app` is migrated once, so that every test file copies it, and a Redis where there is one.
 *
 * Provides `databaseUrl` (the server's superuser, database `postgres`) and `redisUrl` (or null). REDIS_URL names a Redis to
 * use instead; with CI=true one is unpacked where there is none, because both queue backends must be tested there.
 */
import { migrate } from '@culvert/db'
import {
  findRedis,
  REDIS_PACKAGES,
  type Service,
  scratchFolder,
  startPostgres,
  startRedis,
  unpackDebian,
} from '@culvert/services'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    databaseUrl: string
    redisUrl: string | null
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await scratchFolder()
  const stops: (() => Promise<void>)[] = []
  const teardown = async (): Promise<void> => {
    for (const stop of stops) await stop()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const postgres = await startPostgres({ dataDir: join(folder, 'postgres'), durable: false })
    stops.push(postgres.stop)
    await makeTemplate(postgres.url)
    const redis = await redisOf(folder)
    if (redis) stops.push(redis.stop)
    project.provide('databaseUrl', postgres.url)
    project.provide('redisUrl', redis?.url ?? null)
  } catch (error) {
    await teardown()
    throw error
  }
  return teardown
}

async function redisOf(folder: string): Promise<Pick<Service, 'url' | 'stop'> | null> {
  const given = process.env['REDIS_URL']
  if (given) return { url: given, stop: async () => {} }
  if (process.env['CI'] && !findRedis()) await unpackDebian('redis', REDIS_PACKAGES)
  return startRedis({ dataDir: join(folder, 'redis'), durable: false })
}

async function makeTemplate(serverUrl: string): Promise<void> {
  const admin = new pg.Client({ connectionString: serverUrl })
  await admin.connect()
  await admin.query('CREATE DATABASE template_app')
  await admin.end()
  const url = new URL(serverUrl)
  url.pathname = '/template_app'
  await migrate(url.href)
}
