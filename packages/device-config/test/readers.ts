/**
 * Strict readers of what targets write, one for each format: small grammars that refuse whatever they do not know. Lines end
 * wherever anybody could think that they do.
 */
import { parse } from 'plist'
import type { ConfigTarget } from '../src/render.ts'

export type Reader = (text: string) => unknown

const lineEnd = /\r\n|[\n\r\v\f\0\u0085\u2028\u2029]/

export const readers: Readonly<Record<ConfigTarget, Reader>> = {
  swanctl: readSwanctl,
  'openwrt-uci': readUci,
  'openwrt-uci-legacy': readUci,
  routeros7: readRouterOs,
  libreswan: readLibreswan,
  mobileconfig: readProfile,
  sswan: (text) => without(JSON.parse(text), ['name']),
  'windows-powershell': readPowerShell,
  'ios-xe': readIos,
  'generic-json': readGeneric,
}

/** Lines that are neither empty nor comments. */
function directives(text: string, comment: string): string[] {
  return text.split(lineEnd).filter((line) => line.trim() !== '' && !line.startsWith(`${comment} `))
}

function readSwanctl(text: string): unknown {
  const root: Record<string, unknown> = {}
  const open = [root]
  for (const line of directives(text, '#')) {
    const inner = open.at(-1)!
    const section = /^ *([\w-]+) \{$/.exec(line)?.[1]
    const pair = /^ *([\w-]+) = ([\w.:/@%, -]+)$/.exec(line)
    if (section !== undefined) {
      const made: Record<string, unknown> = {}
      inner[section] = made
      open.push(made)
    } else if (/^ *\}$/.test(line)) open.pop()
    else if (pair) inner[pair[1]!] = pair[2]
    else throw new Error(`not swanctl.conf: ${line}`)
  }
  if (open.length !== 1) throw new Error('a section is not closed')
  return root
}

function readUci(text: string): unknown {
  const sections: { type: string; name: string; options: [string, string, string][] }[] = []
  for (const line of directives(text, '#')) {
    const section = /^config (\w+) '(\w+)'$/.exec(line)
    const option = /^\t(option|list) (\w+) '((?:[^']|'\\'')*)'$/.exec(line)
    if (section) sections.push({ type: section[1]!, name: section[2]!, options: [] })
    else if (option) sections.at(-1)!.options.push([option[1]!, option[2]!, option[3]!.replaceAll(`'\\''`, "'")])
    else throw new Error(`not UCI: ${line}`)
  }
  return sections
}

function readRouterOs(text: string): unknown {
  return directives(text, '#').map((line) => {
    const command = /^\/ip ipsec ((?:[a-z-]+ )+?add)((?: [a-z-]+="(?:[^"\\$?]|\\[0-9A-F]{2})*")+)$/.exec(line)
    if (!command) throw new Error(`not RouterOS: ${line}`)
    const values = [...command[2]!.matchAll(/ ([a-z-]+)="((?:[^"\\]|\\..)*)"/g)].map(([, key = '', value = '']) => [
      key,
      value.replace(/\\(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    ])
    return { path: command[1], values: Object.fromEntries(values) as unknown }
  })
}

/** The lines for the file of secrets are comments that begin with an identity. */
function readLibreswan(text: string): unknown {
  const secrets = libreswanSecrets(text).map((line) => {
    const parts = /^(@\S+) (@\S+) : (PSK|PPKS "[\w.]+") (\S+)$/.exec(line)
    if (!parts) throw new Error(`not a line of ipsec.secrets: ${line}`)
    return parts.slice(1)
  })
  const [conn = '', ...lines] = directives(text, '#')
  if (!/^conn \w+$/.test(conn)) throw new Error(`not ipsec.conf: ${conn}`)
  const pairs = lines.map((line) => {
    const pair = /^ {4}([a-z0-9]+)=([\w@%.:/,;-]+)$/.exec(line)
    if (!pair) throw new Error(`not ipsec.conf: ${line}`)
    return [pair[1], pair[2]]
  })
  return { conn, pairs, secrets }
}

export function libreswanSecrets(text: string): string[] {
  return text.split(lineEnd).flatMap((line) => /^# (@.*)$/.exec(line)?.[1] ?? [])
}

function readProfile(text: string): unknown {
  const names = ['PayloadDisplayName', 'PayloadDescription', 'UserDefinedName']
  return without(JSON.parse(JSON.stringify(parse(text))), names)
}

function readGeneric(text: string): unknown {
  const read = JSON.parse(text) as { device: object }
  return { ...read, device: without(read.device, ['name', 'tags']) }
}

/** Statements as lists of tokens; a string in quotes keeps its text alone, behind an apostrophe. */
function readPowerShell(text: string): unknown {
  const tokens: string[] = []
  const quote = "['\u2018\u2019\u201a\u201b]"
  const grammar = new RegExp(
    [
      `(?<here>@'\\n[^]*?\\n'@)`,
      `(?<requires>#Requires [^\\n]*)`,
      `(?<comment>#[^\\n\\r]*)`,
      `${quote}(?<text>(?:[^'\u2018-\u201b]|${quote}{2})*)${quote}`,
      `(?<word>[$\\w.:\\\\-]+|[|=])`,
      `(?<end>[\\n\\r;])`,
      `(?<space>[ \\t]+)`,
    ].join('|'),
    'gy',
  )
  while (grammar.lastIndex < text.length) {
    const at = grammar.lastIndex
    const groups = grammar.exec(text)?.groups
    if (!groups) throw new Error(`not PowerShell: ${text.slice(at, at + 40)}`)
    const { here, requires, word, end } = groups
    const literal = groups['text']
    if (here ?? requires ?? word) tokens.push((here ?? requires ?? word)!)
    else if (literal !== undefined) tokens.push(literal.replaceAll("''", "'"))
    else if (end !== undefined && tokens.at(-1) !== ';') tokens.push(';')
  }
  return tokens.filter((token, index) => index > 0 || token !== ';')
}

function readIos(text: string): unknown {
  return directives(text, '!').map((line) => {
    if (line === '!') return []
    if (!/^ {0,2}[a-z]/.test(line)) throw new Error(`not IOS: ${line}`)
    return line.trimStart().split(' ')
  })
}

function without(value: unknown, names: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => without(item, names))
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([key]) => !names.includes(key))
  return Object.fromEntries(kept.map(([key, item]) => [key, without(item, names)]))
}
