/** The types of the SDK, made of the OpenAPI document of the API. */
import openapiTS, { astToString } from 'openapi-typescript'

/** @param document as GET /openapi.json answers it */
export async function typesOf(document: unknown): Promise<string> {
  const nodes = await openapiTS(withoutExamples(document), { alphabetize: true })
  return `/* Generated from the OpenAPI document of the API by \`npm run docs\`: not to be edited. */\n${astToString(nodes)}`
}

/** They would be most of the file. */
function withoutExamples(document: unknown): string {
  return JSON.stringify(document, (name, value: unknown) =>
    name === 'examples' || name === 'example' ? undefined : value,
  )
}
