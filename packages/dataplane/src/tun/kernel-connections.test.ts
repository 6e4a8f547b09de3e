import { formatIp } from '@culvert/bytes'
import { describe, expect, it } from 'vitest'
import { parseKernelConnections } from './kernel-connections.ts'

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode'
const line = (local: string, remote: string, state: string): string =>
  `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000     0        0 1234 1 0000000000000000 20 4 30 10 -1`

describe('connections of the kernel', () => {
  it('are read with addresses in network order', () => {
    const text = [HEAD, line('01007F0A:9C40', '0500800A:0050', '01'), ''].join('\n')
    expect(parseKernelConnections(text)).toEqual([
      {
        dialAddress: Uint8Array.of(10, 127, 0, 1),
        dialPort: 40_000,
        deviceAddress: Uint8Array.of(10, 128, 0, 5),
        devicePort: 80,
      },
    ])
  })

  it('are read over IPv6, and over IPv4 from sockets of both families', () => {
    const mapped = '0000000000000000FFFF0000'
    const text = [
      HEAD,
      line('00007FFD000000000000000001000000:9C40', '000080FD000000000000000005000000:0050', '01'),
      line(`${mapped}01007F0A:9C41`, `${mapped}0500800A:0050`, '01'),
    ].join('\n')
    const addresses = parseKernelConnections(text).map((flow) => [
      formatIp(flow.dialAddress),
      flow.dialPort,
      formatIp(flow.deviceAddress),
    ])
    expect(addresses).toEqual([
      ['fd7f::1', 40_000, 'fd80::5'],
      ['10.127.0.1', 40_001, '10.128.0.5'],
    ])
  })

  it('leave out sockets that listen or are closed, and lines of another form', () => {
    const text = [
      HEAD,
      line('00000000:0016', '00000000:0000', '0A'),
      line('01007F0A:9C40', '0500800A:0050', '07'),
      line('01007F0A:9C41', '0500800A', '01'),
      line('01007F0A01007F0A:9C41', '0500800A0500800A:0050', '01'),
      'garbage',
    ].join('\n')
    expect(parseKernelConnections(text)).toEqual([])
  })

  it('keep connections that are opening or closing', () => {
    const states = ['02', '04', '05', '06', '08', '09', '0B']
    const text = [HEAD, ...states.map((state) => line('01007F0A:9C40', '0500800A:0050', state))].join('\n')
    expect(parseKernelConnections(text)).toHaveLength(states.length)
  })
})
