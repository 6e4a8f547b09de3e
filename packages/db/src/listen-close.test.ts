import { createDatabase } from '@culvert/testkit'
import net from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, inject, it } from 'vitest'
import { listen } from './index.ts'

it('a listener closes at whatever point of its connecting it is', async () => {
  const url = await createDatabase(inject('databaseUrl'))
  let closed = 0
  for (let turns = 0; turns < 40; turns++) {
    const listener = listen(url, ['a', 'b'], () => {})
    for (let count = 0; count < turns; count++) await turn()
    await listener.close()
    closed += 1
  }
  expect(closed).toBe(40)
})

it('a listener closes while the database says nothing', async () => {
  const met = Promise.withResolvers<void>()
  const silent = net.createServer((socket) => {
    socket.on('error', () => {}).on('data', () => met.resolve())
    socket.on('end', () => socket.end())
  })
  await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as net.AddressInfo
  const listener = listen(`postgres://a:b@127.0.0.1:${port}/c`, ['a'], () => {})
  await met.promise
  await listener.close()
  expect(listener.connected()).toBe(false)
  silent.close()
})
