import { parseCidr, type Cidr } from '@culvert/bytes'
import { expect, it } from 'vitest'
import { chooseAddresses, usedPrefixes } from './demo-addresses.ts'

const prefix = (text: string): Cidr => parseCidr(text) as Cidr
const OWN = 'culvert-veth0'

it('takes the first network that is free', () => {
  expect(chooseAddresses([prefix('10.0.0.0/8')])).toEqual({
    concentrator: '192.0.2.1',
    device: '192.0.2.2',
    prefixLength: 30,
  })
})

it('passes over a network that the machine is in, also when only a larger prefix holds it', () => {
  expect(chooseAddresses([prefix('192.0.2.0/24')])?.concentrator).toBe('203.0.113.1')
  expect(chooseAddresses([prefix('192.0.0.0/16'), prefix('203.0.113.0/30')])?.concentrator).toBe('198.51.100.65')
})

it('says so when nothing is free', () => {
  expect(chooseAddresses([prefix('0.0.0.0/0')])).toBeNull()
})

it('reads addresses and routes, but not the default route, other families or what a killed run left', () => {
  const links = [
    {
      ifname: 'lo',
      addr_info: [
        { family: 'inet', local: '127.0.0.1', prefixlen: 8 },
        { family: 'inet6', local: '::1', prefixlen: 128 },
      ],
    },
    { ifname: 'eth0', addr_info: [{ family: 'inet', local: '192.0.2.2', prefixlen: 24 }] },
    { ifname: OWN, addr_info: [{ family: 'inet', local: '203.0.113.1', prefixlen: 30 }] },
  ]
  const routes = [
    { dst: 'default', dev: 'eth0' },
    { dst: '192.0.2.0/24', dev: 'eth0' },
    { dst: '198.51.100.64', dev: 'eth0' },
    { dst: '203.0.113.0/30', dev: OWN },
  ]
  const used = usedPrefixes(links, routes, OWN)
  expect(used).toHaveLength(4)
  expect(chooseAddresses(used)?.concentrator).toBe('203.0.113.1')
})
