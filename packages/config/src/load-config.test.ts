import { Type } from 'typebox'
import { describe, expect, it } from 'vitest'
import { ConfigError, databaseSettings, loadConfig, logSettings, redisSettings } from './index.ts'

const schema = Type.Object({
  ...databaseSettings,
  ...redisSettings,
  ...logSettings,
  API_PORT: Type.Integer({ minimum: 1, maximum: 65_535, default: 8080, description: 'the TCP port of the API' }),
  STRICT: Type.Boolean({ default: false }),
  WORD: Type.Optional(Type.String({ pattern: '^[a-z]+$', description: 'a word of lower-case letters' })),
  SHORT: Type.Optional(Type.String({ maxLength: 3, description: 'a short text' })),
  LEAST: Type.Optional(Type.Integer({ minimum: 3 })),
})
const DATABASE_URL = 'postgresql://culvert:hunter2@localhost/culvert'

describe('loadConfig', () => {
  it('converts numbers and booleans and fills in defaults', () => {
    expect(loadConfig(schema, { DATABASE_URL, API_PORT: ' 443 ', STRICT: '1' })).toEqual({
      DATABASE_URL,
      API_PORT: 443,
      STRICT: true,
      LOG_LEVEL: 'info',
    })
  })

  it('ignores variables it does not know and treats an empty one as unset', () => {
    expect(loadConfig(schema, { DATABASE_URL, REDIS_URL: '', HOME: '/root' })).not.toHaveProperty('REDIS_URL')
  })

  it.each([
    [{}, 'DATABASE_URL', '(the PostgreSQL server, such as postgresql://user@host:5432/culvert) is not set.'],
    [{ DATABASE_URL, API_PORT: 'abc' }, 'API_PORT', 'must be a whole number from 1 to 65535.'],
    [{ DATABASE_URL, API_PORT: '70000' }, 'API_PORT', 'must be a whole number from 1 to 65535.'],
    [{ DATABASE_URL, API_PORT: '1.5' }, 'API_PORT', 'must be a whole number from 1 to 65535.'],
    [{ DATABASE_URL, LEAST: '2' }, 'LEAST', 'must be a whole number from 3.'],
    [{ DATABASE_URL, STRICT: 'perhaps' }, 'STRICT', 'must be true or false.'],
    [{ DATABASE_URL, LOG_LEVEL: 'loud' }, 'LOG_LEVEL', 'must be one of trace, debug, info, warn, error, silent.'],
    [
      { DATABASE_URL: 'mysql://root:hunter2@db' },
      'DATABASE_URL',
      'must look like postgresql://user@host:5432/culvert.',
    ],
    [{ DATABASE_URL, REDIS_URL: 'hunter2' }, 'REDIS_URL', 'must look like redis://host:6379.'],
    [{ DATABASE_URL, WORD: 'hunter2' }, 'WORD', 'must be a word of lower-case letters.'],
    [{ DATABASE_URL, SHORT: 'hunter2' }, 'SHORT', '(a short text) must not have more than 3 characters.'],
  ])('names the variable that is wrong: %j', (env, variable, sentence) => {
    const error = caught(() => loadConfig(schema, env))
    expect(error).toBeInstanceOf(ConfigError)
    expect(error).toMatchObject({ variable, message: `The environment variable ${variable} ${sentence}` })
    expect((error as Error).message).not.toContain('hunter2')
  })
})

function caught(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
