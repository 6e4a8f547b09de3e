/**
 * The page at /docs: Swagger UI with assets of our own, on which a reader pastes a key and calls. The key stays in the memory of the
 * page: nothing is stored, nothing is loaded from elsewhere and nobody else may be called, which the browser enforces (CSP).
 */
import swaggerUi from '@fastify/swagger-ui'
import type { Api } from '../context.ts'

const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const headers = {
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cross-origin-opener-policy': 'same-origin',
}

export async function documentationPage(api: Api): Promise<void> {
  await api.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: contentSecurityPolicy,
    theme: { title: 'Culvert API' },
    uiConfig: {
      layout: 'BaseLayout',
      deepLinking: true,
      tryItOutEnabled: true,
      persistAuthorization: false,
      displayRequestDuration: true,
      docExpansion: 'list',
      defaultModelsExpandDepth: 0,
    },
    uiHooks: {
      onRequest: (_request, reply, next) => {
        void reply.headers(headers)
        next()
      },
    },
  })
}
