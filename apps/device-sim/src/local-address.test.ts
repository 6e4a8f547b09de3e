import { networkInterfaces } from 'node:os'
import { expect, it } from 'vitest'
import { localAddressTowards, watchLocalAddresses } from './local-address.ts'

it.each(['127.0.0.1', '::1'])('the way to %s begins there', async (address) => {
  if (address === '::1' && !hasIpv6()) return
  expect(await localAddressTowards(address)).toBe(address)
})

it('there is no way to an address that is none', async () => {
  expect(await localAddressTowards('255.255.255.255')).toBeNull()
})

it('the address in use is among all of them, addresses of the host alone and the interface left out are not', async () => {
  const watch = await watchLocalAddresses({ towards: '127.0.0.1', without: 'eth0', onChange: () => {} })
  watch.stop()
  expect(watch.current?.inUse).toBe('127.0.0.1')
  const counted = Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    (addresses ?? []).filter(({ family, internal }) => name !== 'eth0' && family === 'IPv4' && !internal),
  )
  expect(watch.current?.all).toEqual(['127.0.0.1', ...counted.map(({ address }) => address)].toSorted())
})

function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1'))
}
