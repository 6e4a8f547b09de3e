/** The types of the SDK are those of the API. */
import fs from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { root } from '../../scripts/generated-docs.ts'
import { sdkTypes, typesFile } from '../../scripts/openapi.ts'

it('the types of the SDK are made of the OpenAPI document as it is now; if not: npm run docs', async () => {
  const committed = fs.readFileSync(path.join(root, typesFile), 'utf8').split('\n')
  const wanted = (await sdkTypes()).split('\n')
  const differs = wanted.findIndex((line, index) => line !== committed[index])
  const where = { line: differs + 1, committed: committed[differs], wanted: wanted[differs] }
  expect(differs, `${typesFile} is not up to date: npm run docs\n${JSON.stringify(where)}`).toBe(-1)
  expect(committed).toHaveLength(wanted.length)
})
