import { ConfigError } from '@culvert/config'
import { describe, expect, it, test } from 'vitest'
import { readSettings } from './settings.ts'

describe('readSettings', () => {
  it.each([
    ['REDIS_URL', 'nonsense', 'must look like redis://host:6379.'],
    ['REDIS_URL', 'redis://host:port', 'is not a URL that can be read.'],
    ['DATABASE_URL', 'nonsense', 'must look like postgresql://user@host:5432/culvert.'],
    ['DATABASE_URL', 'mysql://a/b', 'must look like postgresql://user@host:5432/culvert.'],
    ['DATABASE_URL', 'postgresql://a:b:c/d', 'is not a URL that can be read.'],
    ['API_PORT', 'abc', 'must be a whole number from 1 to 65535.'],
    ['API_PORT', '0', 'must be a whole number from 1 to 65535.'],
    ['CONCENTRATOR_IKE_PORT', '65536', 'must be a whole number from 1 to 65535.'],
    ['CONCENTRATOR_ADDRESS', 'hello', 'must be an IPv4 address, one of this machine that devices reach.'],
    ['CONCENTRATOR_ADDRESS', '192.0.2.256', 'must be an IPv4 address, one of this machine that devices reach.'],
    ['CONCENTRATOR_ADDRESS', '192.0.2', 'must be an IPv4 address, one of this machine that devices reach.'],
    ['LOG_LEVEL', 'loud', 'must be one of trace, debug, info, warn, error, silent.'],
    ['CULVERT_ZONE', 'Not a zone', 'must look like fleet.culvert.internal.'],
    ['GATEWAY_PORT_RANGE', '20000', 'must look like 20000-20999.'],
    ['GATEWAY_PORT_RANGE', '20999-20000', 'must be a range within 1-65535, the lower port first.'],
    ['GATEWAY_PORT_RANGE', '60000-70000', 'must be a range within 1-65535, the lower port first.'],
  ])('%s=%s is told in one sentence', (variable, value, fault) => {
    const read = (): unknown => readSettings({ [variable]: value })
    expect(read).toThrow(new ConfigError(variable, `The environment variable ${variable} ${fault}`))
  })
})

test('nothing has to be set, and what is set counts', () => {
  expect(readSettings({})).toEqual({
    LOG_LEVEL: 'info',
    CULVERT_ZONE: 'fleet.culvert.internal',
    API_HOST: '127.0.0.1',
    API_PORT: 8080,
    CONCENTRATOR_IKE_PORT: 500,
    CONCENTRATOR_ESP_PORT: 4500,
    GATEWAY_BIND: '127.0.0.1',
    GATEWAY_PUBLIC_HOST: '127.0.0.1',
    GATEWAY_PORT_RANGE: '20000-20999',
  })
  const given = { CONCENTRATOR_ADDRESS: '198.51.100.7', DATABASE_URL: 'postgresql:///culvert?host=/run/postgresql' }
  expect(readSettings({ ...given, API_PORT: '9000' })).toMatchObject({ ...given, API_PORT: 9000 })
})
