/**
 * The text that a rule sends: names in double braces stand for values, and nothing is computed. Values come from customers and
 * devices: signs that Slack would take for markup are replaced, so that nobody is called by the name of a device.
 */
export const ruleTextNames = [
  'rule',
  'event',
  'time',
  'device.id',
  'device.name',
  'resource',
  'tunnels',
  'outcome',
] as const
export type RuleTextName = (typeof ruleTextNames)[number]
export type RuleTextValues = Readonly<Record<RuleTextName, string>>

export const usualRuleText = '{{rule}}: {{event}} of {{device.name}} at {{time}}. {{outcome}} {{tunnels}}'

const name = /\{\{\s*([\w.]*)\s*\}\}/g

/** @returns the first name that stands for nothing; null when all are known */
export function unknownTextName(text: string): string | null {
  const known: readonly string[] = ruleTextNames
  for (const [, found = ''] of text.matchAll(name)) if (!known.includes(found)) return found
  return null
}

export function renderRuleText(text: string, values: RuleTextValues): string {
  return text
    .replace(name, (_, found: string) => escaped(values[found as RuleTextName] ?? ''))
    .replaceAll(/[^\S\n]+/g, ' ')
    .trim()
}

function escaped(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
