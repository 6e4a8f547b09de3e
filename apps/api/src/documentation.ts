/** OpenAPI 3.1 of what is registered after this, at /openapi.json, with a page for people at /docs. */
import * as contracts from '@culvert/contracts'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
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
  contracts.Concentrator,
  contracts.ConcentratorList,
]

export async function documentation(api: Api): Promise<void> {
  for (const component of components) api.addSchema(component)
  await api.register(swagger, {
    openapi: {
      openapi: '3.1.1',
      info: {
        title: 'Culvert',
        version: '1.0.0',
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
  api.get('/openapi.json', { schema: { hide: true } }, async () => api.swagger())
}
