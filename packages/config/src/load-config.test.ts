import { Type } from 'typebox'
import { describe, expect, it } from 'vitest'
import { ConfigError, databaseSettings, loadConfig, logSettings, redisSettings } from './index.ts'

const schema = Type.Object({
  ...databaseSettings,
  ...redisSettings,
  ...logSettings,
  API_PORT: Type.Integer({ minimum: 1, maximum: 65_535, default: 8080, description: 'the TCP port of the API' }),
  STRICT: Type.Boolean({ default: false }),
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
    [{}, 'DATABASE_URL', /is not set/],
    [{ DATABASE_URL, API_PORT: 'abc' }, 'API_PORT', /must be integer/],
    [{ DATABASE_URL, API_PORT: '70000' }, 'API_PORT', /<= 65535/],
    [{ DATABASE_URL, API_PORT: '1.5' }, 'API_PORT', /must be integer/],
    [{ DATABASE_URL, STRICT: 'perhaps' }, 'STRICT', /must be boolean/],
    [{ DATABASE_URL, LOG_LEVEL: 'loud' }, 'LOG_LEVEL', /LOG_LEVEL/],
    [{ DATABASE_URL: 'mysql://root:hunter2@db' }, 'DATABASE_URL', /must match pattern/],
  ])('names the variable that is wrong: %j', (env, variable, sentence) => {
    const error = caught(() => loadConfig(schema, env))
    expect(error).toBeInstanceOf(ConfigError)
    expect(error).toMatchObject({ variable, message: expect.stringContaining(variable) })
    expect((error as Error).message).toMatch(sentence)
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
