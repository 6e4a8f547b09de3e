/** /v1/ca: what a device has to trust, and what nobody shall trust any more. Public, because devices have no key to the API. */
import { DomainError } from '@culvert/contracts'
import { listAuthorities } from '@culvert/db'
import type { Api, ApiContext } from '../context.ts'
import { binary, problemsWithoutKey, text } from '../responses.ts'

const tags = ['certificates']
const security: [] = []

export function authorityRoutes(api: Api, { pool }: ApiContext): void {
  api.get(
    '/ca',
    {
      config: { permission: 'public' },
      schema: {
        operationId: 'getAuthorities',
        summary: 'Certificates of the authorities that concentrators and devices are certified by, in PEM',
        tags,
        security,
        response: {
          200: text(
            'One or more certificates, the one that signs first.',
            '-----BEGIN CERTIFICATE-----\nMIIB...\n-----END CERTIFICATE-----\n',
            'application/x-pem-file',
          ),
          ...problemsWithoutKey('no_authority'),
        },
      },
    },
    async (_request, reply) => {
      const authorities = await listAuthorities(pool)
      if (authorities.length === 0) throw new DomainError('no_authority', { retryAfterSec: 10 })
      const pem = authorities.map(({ certificate }) => certificate).join('')
      return reply.type('application/x-pem-file').header('cache-control', 'public, max-age=300').send(pem)
    },
  )

  api.get(
    '/ca/crl',
    {
      config: { permission: 'public' },
      schema: {
        operationId: 'getRevocationList',
        summary: 'Revocation list of the authority that signs, in DER (RFC 5280)',
        tags,
        security,
        response: { 200: binary('The list.', 'application/pkix-crl'), ...problemsWithoutKey('no_authority') },
      },
    },
    async (_request, reply) => {
      const [authority] = await listAuthorities(pool)
      if (!authority?.crl) throw new DomainError('no_authority', { retryAfterSec: 10 })
      return reply
        .type('application/pkix-crl')
        .header('cache-control', 'public, max-age=60')
        .send(Buffer.from(authority.crl))
    },
  )
}
