/**
 * Parts of documents that are made from the code: they stand between two marks, and a test compares them with what would be
 * made now. People write what is around them.
 */
import fs from 'node:fs'
import path from 'node:path'

export const root = path.resolve(import.meta.dirname, '..')

const BEGIN = '<!-- generated: begin -->'
const END = '<!-- generated: end -->'
const TEST_FOLDERS = ['apps', 'packages', 'scripts', 'test']
const FOREIGN_FOLDERS = new Set(['node_modules', 'dist', 'generated', 'vectors'])

/** The part of a document between its marks. */
export function readBetweenMarks(file: string): string {
  const { text, begin, end } = find(file)
  return text.slice(begin, end).trim()
}

export function writeBetweenMarks(file: string, part: string): void {
  const { text, begin, end } = find(file)
  fs.writeFileSync(path.join(root, file), `${text.slice(0, begin)}\n\n${part}\n\n${text.slice(end)}`)
}

function find(file: string): { text: string; begin: number; end: number } {
  const text = fs.readFileSync(path.join(root, file), 'utf8')
  const begin = text.indexOf(BEGIN)
  const end = text.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`${file} has no place for what is generated: ${BEGIN} ... ${END}`)
  return { text, begin: begin + BEGIN.length, end }
}

/** Every test file of the project below the root, in alphabetical order. */
export function testFiles(): string[] {
  return TEST_FOLDERS.flatMap((folder) => below(folder)).sort()
}

function below(folder: string): string[] {
  return fs.readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const file = `${folder}/${entry.name}`
    if (entry.isDirectory()) return FOREIGN_FOLDERS.has(entry.name) && file !== 'test/vectors' ? [] : below(file)
    return entry.name.endsWith('.test.ts') ? [file] : []
  })
}
