import { describe, expect, it } from 'vitest'
import { createHealthRegistry, createLogger, redact } from './index.ts'

function capture(): { lines: Record<string, unknown>[]; write(line: string): void } {
  const lines: Record<string, unknown>[] = []
  return { lines, write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) }
}

describe('createLogger', () => {
  it('writes one structured line with name, level and time', () => {
    const out = capture()
    createLogger('con-1', 'info', out).info({ device: 'dev_1' }, 'attached')
    expect(out.lines).toEqual([
      expect.objectContaining({
        name: 'con-1',
        level: 'info',
        device: 'dev_1',
        msg: 'attached',
        time: expect.any(String),
      }),
    ])
  })

  it.each([
    ['psk', 'hunter2'],
    ['secret', 'hunter2'],
    ['sealingPrivateKey', 'hunter2'],
    ['Authorization', 'Bearer hunter2'],
    ['password', 'hunter2'],
    ['key', new Uint8Array([1, 2])],
    ['apiKey', 'hunter2'],
    ['url', 'postgresql://culvert:hunter2@db/culvert'],
    ['url', 'redis://culvert:ha@hunter2@cache:6379'],
    ['url', 'postgresql://db/culvert?user=c&password=hunter2&sslmode=require'],
    ['note', 'called with culvert_4fX_hunter2'],
    ['header', 'authorization: bearer hunter2'],
    ['seed', new TextEncoder().encode('hunter2')],
  ])('takes the secret out of the field %s at any depth', (name, value) => {
    const out = capture()
    const logger = createLogger('api', 'info', out)
    logger.info({ [name]: value, nested: { list: [{ [name]: value }] } }, 'something')
    logger.child({ [name]: value }).info('from a child')
    expect(JSON.stringify(out.lines)).not.toContain('hunter2')
    expect(JSON.stringify(out.lines)).not.toContain('{"0":1')
  })

  it('takes secrets out of messages and of errors with their causes', () => {
    const out = capture()
    const error = new Error('connect postgres://u:hunter2@db', { cause: { password: 'hunter2' } })
    createLogger('api', 'info', out).error({ err: error }, 'key culvert_a_hunter2 refused')
    expect(JSON.stringify(out.lines)).not.toContain('hunter2')
    expect(out.lines[0]).toMatchObject({ err: { type: 'Error', stack: expect.any(String) } })
  })

  it('keeps ids whose names merely speak of keys', () => {
    expect(redact({ keyId: 'k1', sealingKeyId: 'f00', credentialId: 'crd_1', keyExchange: 'x25519' })).toEqual({
      keyId: 'k1',
      sealingKeyId: 'f00',
      credentialId: 'crd_1',
      keyExchange: 'x25519',
    })
  })

  it('survives an object that contains itself', () => {
    const loop: Record<string, unknown> = {}
    loop['self'] = loop
    expect(JSON.stringify(redact(loop))).toContain('[deep]')
  })
})

describe('createHealthRegistry', () => {
  it('is ready when every check passes and says which does not', async () => {
    const health = createHealthRegistry(20)
    health.register('fine', () => {})
    expect(await health.ready()).toEqual({ ok: true, checks: { fine: 'ok' } })
    let asked = 0
    health.register('counted', () => void asked++)
    const reports = await Promise.all([health.ready(), health.ready(), health.ready()])
    expect(reports.map(({ ok }) => ok)).toEqual([true, true, true])
    expect(asked).toBe(1)
    health.register('broken', () => Promise.reject(new Error('secret detail')), 'the database does not answer')
    health.register('hanging', () => new Promise(() => {}))
    expect(await health.ready()).toEqual({
      ok: false,
      checks: { fine: 'ok', counted: 'ok', broken: 'the database does not answer', hanging: 'not available' },
    })
  })
})
