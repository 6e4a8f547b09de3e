/** OpenAPI 3.1 of what is registered after this, at /openapi.json, with a page for people at /docs, where / leads. */
import * as contracts from '@culvert/contracts'
import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import { readFileSync } from 'node:fs'
import type { TSchema } from 'typebox'
import type { Api } from './context.ts'
import { complete, headers, type OpenApi } from './openapi/complete.ts'
import { documentationPage } from './openapi/page.ts'
import { share } from './openapi/share.ts'
import { tags } from './openapi/tags.ts'
import { webhooks } from './openapi/webhooks.ts'

const components: readonly TSchema[] = [
  contracts.Problem,
  contracts.Device,
  contracts.DevicePage,
  contracts.DeviceConfiguration,
  contracts.ConfigLink,
  contracts.Credential,
  contracts.CredentialList,
  contracts.CredentialPage,
  contracts.CredentialSummary,
  contracts.IssuedCredential,
  contracts.Tunnel,
  contracts.TunnelPage,
  contracts.Connection,
  contracts.ConnectionPage,
  contracts.ChildSa,
  contracts.IkeSa,
  contracts.Attachment,
  contracts.AttachmentSummary,
  contracts.AttachmentPage,
  contracts.SaList,
  contracts.Gateway,
  contracts.GatewayList,
  contracts.OfferedProposal,
  contracts.NearestProposal,
  contracts.AttachAttempt,
  contracts.AttachAttemptPage,
  contracts.Network,
  contracts.NetworkPage,
  contracts.Organization,
  contracts.Caller,
  contracts.IssuedTokens,
  contracts.Member,
  contracts.MemberPage,
  contracts.Grant,
  contracts.GrantPage,
  contracts.SigningKey,
  contracts.SigningKeyList,
  contracts.SshKey,
  contracts.DeviceAuthority,
  contracts.DeviceAuthorityPage,
  contracts.SshKeyPage,
  contracts.AutomationRule,
  contracts.AutomationRulePage,
  contracts.RuleRun,
  contracts.RuleRunPage,
  contracts.DryRun,
  contracts.Usage,
  contracts.UsagePage,
  contracts.UsageThreshold,
  contracts.UsageThresholdPage,
  contracts.ApiKey,
  contracts.ApiKeyPage,
  contracts.IssuedApiKey,
  contracts.Operation,
  contracts.OperationPage,
  contracts.WebhookEndpoint,
  contracts.IssuedWebhookEndpoint,
  contracts.WebhookEndpointPage,
  contracts.WebhookDelivery,
  contracts.WebhookDeliveryDetail,
  contracts.WebhookDeliveryPage,
  contracts.WebhookRecovery,
  contracts.AuditEntry,
  contracts.AuditEntryPage,
  contracts.Event,
  contracts.EventPage,
  contracts.Concentrator,
  contracts.ConcentratorList,
]

/** This app's own; all parts of Culvert have one version. */
const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

const description = `Every call but those that say otherwise carries \`Authorization: Bearer ...\`.

- **Errors** are \`application/problem+json\` (RFC 9457) with a \`code\` that never changes its meaning.
- **Lists** have pages: give \`nextCursor\` as \`cursor\` to get the next one, with the same filters.
- **Ids** of another organization are answered as if they did not exist.
- **Unknown fields** are refused.
- **Changes** may carry \`If-Match\` with the \`ETag\` of what was read: then nobody's change is overwritten unseen.`

export async function documentation(api: Api): Promise<void> {
  for (const component of components) api.addSchema(component)
  await api.register(swagger, {
    openapi: {
      openapi: '3.1.1',
      info: {
        title: 'Culvert',
        version: manifest.version,
        summary: 'Reach every device of a cellular fleet through IPsec tunnels opened with one call.',
        description,
      },
      servers: [{ url: '/', description: 'Where this document comes from.' }],
      tags,
      components: {
        headers,
        securitySchemes: {
          apiKey: { type: 'http', scheme: 'bearer', description: 'An API key: `culvert_...`.' },
          accessToken: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'JWT',
            description: 'What a person who logged in has.',
          },
        },
      },
      security: [{ apiKey: [] }, { accessToken: [] }],
      webhooks,
    } as FastifyDynamicSwaggerOptions['openapi'] & object,
    transformObject: (object) => {
      if ('openapiObject' in object) share(complete(object.openapiObject as unknown as OpenApi))
      return 'openapiObject' in object ? object.openapiObject : object.swaggerObject
    },
    refResolver: {
      buildLocalReference: (schema, _base, _fragment, index) =>
        typeof schema['$id'] === 'string' ? schema['$id'] : `schema-${index}`,
    },
  })
  await documentationPage(api)
  api.get('/', { schema: { hide: true } }, async (_request, reply) => reply.redirect('/docs'))
  api.get('/openapi.json', { schema: { hide: true } }, async () => api.swagger())
}
