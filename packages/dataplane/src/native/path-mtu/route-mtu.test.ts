import { expect, it } from 'vitest'
import { PacketMemory, Syscalls } from '../../foreign/index.ts'
import { RouteMtus } from './route-mtu.ts'
import { encodeSocketAddress, SOCKADDR_BYTES } from '../sockets/socket-address.ts'

const LARGEST = 65_535

it('asks for the routes of both families, again and again, on one socket each', () => {
  const memory = new PacketMemory(65_536)
  const routes = new RouteMtus(memory, new Syscalls(memory))
  const destination = memory.allocate(SOCKADDR_BYTES)
  const ask = (address: string): number => {
    encodeSocketAddress({ address, port: 4500 }, memory.bytes, destination)
    return routes.ask(destination)
  }
  expect([ask('127.0.0.1'), ask('::1'), ask('127.0.0.2'), ask('::1')]).toEqual(Array.from({ length: 4 }, () => LARGEST))
  expect(ask('255.255.255.255')).toBe(0) // to all of them no datagram socket connects
  expect(ask('127.0.0.1')).toBe(LARGEST)
  routes.close()
  routes.close()
  expect(ask('127.0.0.1')).toBe(LARGEST)
  routes.close()
})
