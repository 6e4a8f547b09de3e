/**
 * One door: nobody but this folder loads koffi or any other way into native code, and nobody comes past `index.ts`.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../../../..')
const FOLDER = relative(ROOT, import.meta.dirname)
const PLACES = ['apps', 'packages', 'scripts', 'test', 'infra', 'docs']
const CODE = /\.(?:ts|mts|cts|js|mjs|cjs)$/
const SKIPPED = ['node_modules', 'dist', 'generated']

/** A module specifier of koffi, and what else loads native code. */
const NATIVE =
  /['"`](?:koffi(?:\/[^'"`]*)?|@koromix\/[^'"`]*|node:ffi|ffi-napi)['"`]|process\.(?:dlopen|binding)\b|\.node['"`]/
const BEHIND = /['"`][^'"`\n]*\/foreign\/(?!index\.ts)[^'"`\n]+['"`]/

function codeUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED.includes(entry.name)) return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return codeUnder(path)
    return CODE.test(entry.name) ? [relative(ROOT, path)] : []
  })
}

const files = PLACES.flatMap((place) => codeUnder(join(ROOT, place)))
const textOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

describe('the door to foreign calls', () => {
  it('is looked for in all code there is', () => {
    expect(files.length).toBeGreaterThan(500)
    expect(files).toContain(`${FOLDER}/library.ts`)
    expect(`import koffi from 'koffi'`).toMatch(NATIVE)
    expect(`from '../foreign/library.ts'`).toMatch(BEHIND)
    expect(`from './foreign/index.ts'`).not.toMatch(BEHIND)
  })

  it('holds koffi alone, and no other way into native code exists', () => {
    const own = [`${FOLDER}/surroundings.ts`, `${FOLDER}/testing/fake-koffi.ts`, `${FOLDER}/door.test.ts`]
    expect(files.filter((file) => !own.includes(file) && NATIVE.test(textOf(file)))).toEqual([])
    expect(textOf(own[0]!)).toMatch(NATIVE)
  })

  it('is the only way in', () => {
    const outside = files.filter((file) => !file.startsWith(`${FOLDER}/`))
    expect(outside.filter((file) => BEHIND.test(textOf(file)))).toEqual([])
  })

  it('hands out nothing that makes or takes an address', () => {
    const door = textOf(`${FOLDER}/index.ts`)
    expect(door).not.toMatch(/library\.ts|structure\.ts|addressIn|baseAddress|addressOf|OpensslInside/)
  })
})
