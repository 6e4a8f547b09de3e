/** Every relative link of every document leads somewhere, and every heading that a link names is there. */
import fs from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { root } from '../../scripts/generated-docs.ts'
import { readText, repositoryFiles } from './repository-files.ts'

const documents = repositoryFiles().filter((file) => file.endsWith('.md'))

it('finds documents to look at', () => {
  expect(documents).toContain('README.md')
})

it('has no empty document', () => {
  expect(documents.filter((document) => (readText(document) ?? '').trim() === '')).toEqual([])
})

it.each(documents)('%s has no dead link', (document) => {
  const links = [...withoutCode(readText(document) ?? '').matchAll(/\]\(([^()\s]+)\)/g)].map((match) => match[1] ?? '')
  expect(links.filter((link) => !/^[a-z]+:/.test(link) && !leadsSomewhere(document, link))).toEqual([])
})

function leadsSomewhere(document: string, link: string): boolean {
  const [place = '', heading] = link.split('#')
  const target = place === '' ? document : path.join(path.dirname(document), decodeURIComponent(place))
  if (!fs.existsSync(path.join(root, target))) return false
  return heading === undefined || headingsOf(target).includes(heading)
}

/** As GitHub names them. */
function headingsOf(document: string): string[] {
  const headings = [...withoutCode(readText(document) ?? '').matchAll(/^#+ (.+)$/gm)].map((match) => match[1] ?? '')
  return headings.map((text) =>
    text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

function withoutCode(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '')
}
