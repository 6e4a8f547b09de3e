import { expect, it } from 'vitest'
import { createRoute } from './route.ts'

const to = (address: string) => ({ kind: 'ip4', address }) as const

it('RFC 5685 5 follows at most five redirects in five minutes, then begins with its own gateway', async () => {
  const route = createRoute('192.0.2.1')
  for (let turn = 0; turn < 5; turn++) expect(await route.follow(to(`192.0.2.${turn + 2}`), turn)).toBe(true)
  expect([route.address, route.redirectedFrom]).toEqual(['192.0.2.6', to('192.0.2.5')])
  expect(await route.follow(to('192.0.2.7'), 5)).toBe(false)
  expect([route.address, route.redirectedFrom]).toEqual(['192.0.2.1', null])
  expect(await route.follow(to('192.0.2.7'), 300_000)).toBe(true)
})

it('goes by name where it is sent by name, and nowhere it cannot reach', async () => {
  const route = createRoute('192.0.2.1')
  expect(await route.follow({ kind: 'fqdn', name: 'localhost' }, 0)).toBe(true)
  expect(route.address).toBe('127.0.0.1')
  expect(await route.follow({ kind: 'ip6', address: '2001:db8::1' }, 0)).toBe(false)
  expect(route.address).toBe('192.0.2.1')
})

it('RFC 5685 goes to IPv6 gateways alone when its own one is reached over IPv6', async () => {
  const route = createRoute('2001:db8::1')
  expect(await route.follow({ kind: 'ip6', address: '2001:db8::2' }, 0)).toBe(true)
  expect([route.address, route.redirectedFrom]).toEqual(['2001:db8::2', { kind: 'ip6', address: '2001:db8::1' }])
  expect(await route.follow(to('192.0.2.7'), 0)).toBe(false)
  expect(route.address).toBe('2001:db8::1')
})
