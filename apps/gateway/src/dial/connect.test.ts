import { expect, test } from 'vitest'
import { connectUnread } from './connect.ts'

const target = { host: '127.0.0.1', port: 9, localAddress: '127.0.0.1', timeoutMs: 100 }

test.each([
  ['a name instead of an address', { host: 'device.example' }],
  ['a source that is no address', { localAddress: 'nonsense' }],
  ['a source with a zone', { localAddress: '10.127.0.1; reboot' }],
  ['a port beyond all ports', { port: 65_536 }],
  ['a port that is no number', { port: Number.NaN }],
  ['no port', { port: 0 }],
])('%s is answered, never thrown', async (_what, wrong) => {
  expect(await connectUnread({ ...target, ...wrong })).toEqual({ socket: null, code: 'EINVAL' })
})
