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
