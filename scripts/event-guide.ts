/**
 * The types of docs/guides/event-types.md, from the catalogue of events. `node --conditions=source scripts/event-guide.ts` writes them;
 * test/docs/events.test.ts compares.
 */
import { eventCatalogue, eventTypes, isPlanned } from '@culvert/contracts'
import { writeBetweenMarks } from './generated-docs.ts'

export const eventPage = 'docs/guides/event-types.md'

/** What of a schema is told. */
interface Field {
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly format?: string
  readonly description?: string
  readonly items?: Field
  readonly anyOf?: readonly Field[]
  readonly properties?: Readonly<Record<string, Field>>
}

export function eventTable(): string {
  const families = [...new Set(eventTypes.map((type) => type.slice(0, type.indexOf('.'))))]
  return families
    .map((family) => {
      const rows = eventTypes
        .filter((type) => type.startsWith(`${family}.`))
        .map((type) => {
          const { summary, resource, data } = eventCatalogue[type]
          const told = isPlanned(type) ? `${summary} *Planned: nothing writes it yet.*` : summary
          return `| \`${type}\` | \`${resource}_\` | ${told} | ${fields(data as Field)} |`
        })
      return [
        `### ${family}`,
        '',
        '| type | resource | what happened | data |',
        '| --- | --- | --- | --- |',
        ...rows,
      ].join('\n')
    })
    .join('\n\n')
}

function fields({ properties = {} }: Field): string {
  return Object.entries(properties)
    .map(([name, field]) => `\`${name}\`: ${shape(field)}`)
    .join('<br>')
}

function shape(field: Field): string {
  if (field.anyOf) return field.anyOf.map(shape).join(' or ')
  if (field.const !== undefined) return `\`${JSON.stringify(field.const).replaceAll('"', '')}\``
  if (field.enum) return field.enum.map((value) => `\`${String(value)}\``).join(', ')
  if (field.type === 'array') return `list of ${field.items ? shape(field.items) : 'values'}`
  if (field.type === 'object') return `{ ${fields(field).replaceAll('<br>', '; ')} }`
  return field.format === 'date-time' ? 'time' : (field.type ?? 'value')
}

if (import.meta.main) writeBetweenMarks(eventPage, eventTable())
