/**
 * The OpenAPI document of the API and the types of the SDK that are made of it. `npm run docs` writes the
 * types, test/docs/openapi.test.ts compares. The routes are only looked at: nothing is listened on, and no database is needed.
 */
import { buildApi } from '@culvert/api'
import { generateSealingKeyPair } from '@culvert/db'
import fs from 'node:fs'
import path from 'node:path'
import { typesOf } from '../packages/sdk/test/types-of.ts'
import { root } from './generated-docs.ts'

export const typesFile = 'packages/sdk/src/generated/api.ts'

/** @returns the document as GET /openapi.json answers it */
export async function openApiDocument(): Promise<unknown> {
  const { publicKey } = await generateSealingKeyPair()
  const api = await buildApi({ databaseUrl: 'postgresql://nobody@127.0.0.1:1/nothing', sealingPublicKey: publicKey })
  try {
    return JSON.parse(JSON.stringify(api.swagger()))
  } finally {
    await api.close()
  }
}

/** What the file holds when it is up to date. */
export async function sdkTypes(): Promise<string> {
  return typesOf(await openApiDocument())
}

if (import.meta.main) fs.writeFileSync(path.join(root, typesFile), await sdkTypes())
