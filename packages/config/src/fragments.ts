/** Settings that several processes share; spread them into `Type.Object({ ...databaseSettings, ... })`. */
import { Type } from 'typebox'

export const databaseSettings = {
  DATABASE_URL: Type.String({
    pattern: '^postgres(ql)?://',
    description: 'the PostgreSQL server',
    examples: ['postgresql://user@host:5432/culvert'],
  }),
}

export const redisSettings = {
  REDIS_URL: Type.Optional(
    Type.String({
      pattern: '^rediss?://',
      description: 'the Redis that carries jobs; without it jobs go through PostgreSQL',
      examples: ['redis://host:6379'],
    }),
  ),
}

export const nodeSettings = {
  NODE_NAME: Type.String({
    pattern: '^[a-z0-9][a-z0-9-]{0,40}$',
    description: 'the name of this node, lower-case letters, digits and hyphens, such as con-1',
  }),
}

export const logSettings = {
  LOG_LEVEL: Type.Union(
    [
      Type.Literal('trace'),
      Type.Literal('debug'),
      Type.Literal('info'),
      Type.Literal('warn'),
      Type.Literal('error'),
      Type.Literal('silent'),
    ],
    { default: 'info', description: 'trace, debug, info, warn, error or silent' },
  ),
}

export const zoneSettings = {
  CULVERT_ZONE: Type.String({
    pattern: '^[a-z0-9-]+(\\.[a-z0-9-]+)*$',
    default: 'fleet.culvert.internal',
    description: 'the domain under which IKE identities are made',
    examples: ['fleet.culvert.internal'],
  }),
}

/** Where requests to URLs of customers may go; `egressOptions` of `@culvert/egress` reads them. */
export const egressSettings = {
  EGRESS_PORTS: Type.String({
    pattern: '^\\d{1,5}(-\\d{1,5})?( *, *\\d{1,5}(-\\d{1,5})?)*$',
    default: '443,8443',
    description: 'the ports that a URL of a customer may name',
    examples: ['443,8443,9000-9100'],
  }),
  EGRESS_ALLOW_HTTP: Type.Boolean({
    default: false,
    description: 'whether a URL of a customer may begin with http://',
  }),
  EGRESS_ALLOW: Type.Optional(
    Type.String({
      description: 'prefixes of inner addresses that customers may send to all the same',
      examples: ['10.20.0.0/16,fd12::/64'],
    }),
  ),
  EGRESS_REFUSE: Type.String({
    default: '10.127.0.0/24,10.128.0.0/9,fd43:756c:7665::/48',
    description: 'prefixes that nobody may send to: all of tunnels and inner addresses, and whatever else is inside',
    examples: ['10.127.0.0/24,10.128.0.0/9'],
  }),
  EGRESS_PROXY: Type.Optional(
    Type.String({
      pattern: '^https?://',
      description: 'the HTTP proxy that requests to customers go through',
      examples: ['http://proxy:3128'],
    }),
  ),
}
