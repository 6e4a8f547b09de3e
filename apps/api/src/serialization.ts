/**
 * Writes answers as their schemas say. The compiler checks all schemas that it is given, each time: it is given those that an answer
 * refers to, for with all there are the API would take many times as long to start.
 */
import { SerializerSelector, type SerializerFactory } from '@fastify/fast-json-stringify-compiler'

const compilerOf: SerializerFactory = SerializerSelector()

export const buildSerializer: SerializerFactory = (components, options) => (route) =>
  compilerOf(referredBy(route.schema, (components ?? {}) as Schemas), options)(route)

type Schemas = Readonly<Record<string, unknown>>

/** @returns the components that a schema refers to, and those that these refer to */
function referredBy(schema: unknown, components: Schemas): Schemas {
  const found = new Map<string, unknown>()
  const look = (one: unknown): void => {
    for (const [, name = ''] of JSON.stringify(one).matchAll(/"\$ref":"([^"#]+)/g)) {
      if (found.has(name) || !Object.hasOwn(components, name)) continue
      found.set(name, components[name])
      look(components[name])
    }
  }
  look(schema)
  return Object.fromEntries(found)
}
