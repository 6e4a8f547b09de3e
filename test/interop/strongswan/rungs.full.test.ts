/**
 * Large transfers between strongSwan and both rungs of the data plane.
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { firstMissing, noteOf } from '../../support/missing.ts'
import { childSpi, openSwanScene, type SwanScene } from '../../support/swan-scene.ts'

const MIB = 1024 * 1024
const TRANSFER_LIMIT_SEC = 170

const missing = await firstMissing('strongswan', 'curl')

describe.skipIf(missing).each([
  { rung: 'native', fileBytes: 1024 * MIB },
  { rung: 'portable', fileBytes: 100 * MIB },
] as const)(`the rung $rung with strongSwan${noteOf(missing)}`, ({ rung, fileBytes }) => {
  let scene: SwanScene
  let hash: string

  beforeAll(async () => {
    scene = await openSwanScene({ serverUrl: inject('databaseUrl'), redisUrl: inject('redisUrl'), fileBytes, rung })
    hash = await hashOf(scene.file)
  })
  afterAll(() => scene?.close())

  it('is the one in use', async () => {
    const { body } = await scene.culvert.operator<{ data: { dataPlane: string }[] }>('GET', '/v1/concentrators')
    expect(body.data[0]?.dataPlane).toMatch(new RegExp(`^${rung}`))
  })

  it(`carries ${fileBytes / MIB} MiB from the device unchanged`, async () => {
    const copy = path.join(scene.folder, 'copy')
    expect(await scene.curl(...limit, '--output', copy, scene.url('/file'))).toMatchObject({ code: 0, stderr: '' })
    expect(await hashOf(copy)).toBe(hash)
    fs.rmSync(copy)
  })

  it(`carries ${fileBytes / MIB} MiB to the device unchanged, through a rekey by the device`, async () => {
    const before = childSpi(await scene.swan.listSas())
    const sending = scene.curl(...limit, '--upload-file', scene.file, scene.url('/'))
    await scene.swan.rekey({ child: scene.names.child })
    expect(await sending).toMatchObject({ code: 0, stdout: hash })
    expect(childSpi(await scene.swan.listSas())).not.toBe(before)
  })
})

const limit = ['--max-time', String(TRANSFER_LIMIT_SEC)]

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(fs.createReadStream(file), hash)
  return hash.digest('hex')
}
