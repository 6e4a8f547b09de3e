/** OpenAPI 3.1 of what is registered after this, at /openapi.json, with a page for people at /docs, where / leads. */
import * as contracts from '@culvert/contracts'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { readFileSync } from 'node:fs'
import type { TSchema } from 'typebox'
import type { Api } from './context.ts'

const components: readonly TSchema[] = [
  contracts.Problem,
  contracts.Device,
  contracts.DevicePage,
  contracts.Credential,
  contracts.CredentialList,
  contracts.IssuedCredential,
  contracts.Tunnel,
  contracts.TunnelPage,
  contracts.Connection,
  contracts.ConnectionPage,
  contracts.ChildSa,
  contracts.IkeSa,
  contracts.Attachment,
  contracts.OfferedProposal,
  contracts.NearestProposal,
  contracts.AttachAttempt,
  contracts.AttachAttemptPage,
  contracts.Network,
  contracts.NetworkPage,
  contracts.Organization,
  contracts.ApiKey,
  contracts.ApiKeyPage,
  contracts.IssuedApiKey,
  contracts.Concentrator,
  contracts.ConcentratorList,
]

/** This app's own; all parts of Culvert have one version. */
const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

export async function documentation(api: Api): Promise<void> {
  for (const component of components) api.addSchema(component)
  await api.register(swagger, {
    openapi: {
      openapi: '3.1.1',
      info: {
        title: 'Culvert',
        version: manifest.version,
        description: 'Reach every device of a cellular fleet through IPsec tunnels opened with one call.',
      },
      servers: [{ url: '/' }],
      components: {
        securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'An API key: `culvert_...`.' } },
      },
      security: [{ apiKey: [] }],
    },
    refResolver: {
      buildLocalReference: (schema, _base, _fragment, index) =>
        typeof schema['$id'] === 'string' ? schema['$id'] : `schema-${index}`,
    },
  })
  await api.register(swaggerUi, { routePrefix: '/docs', uiConfig: { deepLinking: true } })
  api.get('/', { schema: { hide: true } }, async (_request, reply) => reply.redirect('/docs'))
  api.get('/openapi.json', { schema: { hide: true } }, async () => api.swagger())
}
