import { expect, test } from 'vitest'
import { parseSas } from './strongswan-sas.ts'

const LISTING = `list-sa event {
  branch {
    uniqueid = 3
    state = ESTABLISHED
    local-id = C=CH, O=Example, CN=gateway = one
    remote-host = 192.0.2.11
    remote-port = 4500
    initiator = yes
    initiator-spi = 00a1b2c3d4e5f607
    encr-alg = AES_GCM_16
    encr-keysize = 256
    prf-alg = PRF_HMAC_SHA2_384
    remote-vips = [
      10.99.0.1
      fd00::1
    ]
    child-sas {
      net-4 {
        name = net
        state = INSTALLED
        encap = yes
        spi-in = c0ffee01
        encr-alg = CHACHA20_POLY1305
        packets-in = 12
        local-ts = [
          10.98.0.0/24
        ]
      }
    }
  }
}
list-sa event {
  spare {
    state = CONNECTING
  }
}
list-sas reply {
}
`

test('reads IKE SAs, their Child SAs and lists, and values that hold an equals sign', () => {
  const [branch, spare, ...rest] = parseSas(LISTING)
  expect(rest).toEqual([])
  expect(branch).toMatchObject({
    name: 'branch',
    uniqueId: 3,
    initiator: true,
    localId: 'C=CH, O=Example, CN=gateway = one',
    remotePort: 4500,
    spiI: '00a1b2c3d4e5f607',
    encryption: 'AES_GCM_16-256',
    integrity: null,
    remoteVips: ['10.99.0.1', 'fd00::1'],
  })
  expect(branch!.children).toHaveLength(1)
  expect(branch!.children[0]).toMatchObject({
    name: 'net',
    encap: true,
    spiIn: 'c0ffee01',
    encryption: 'CHACHA20_POLY1305',
    packetsIn: 12,
    packetsOut: 0,
    localTs: ['10.98.0.0/24'],
  })
  expect(spare).toMatchObject({ name: 'spare', state: 'CONNECTING', children: [] })
})

test('no SA is an empty list', () => {
  expect(parseSas('list-sas reply {\n}\n')).toEqual([])
})
