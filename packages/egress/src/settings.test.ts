import { egressSettings, loadConfig } from '@culvert/config'
import { Type } from 'typebox'
import { expect, it } from 'vitest'
import { egressOptions, openEgress } from './index.ts'

const options = (env: Record<string, string>) => egressOptions(loadConfig(Type.Object(egressSettings), env))

it('A01 refuses http, other ports, inner addresses and those of tunnels when nothing is set', () => {
  const egress = openEgress(options({}))
  const refused = [
    'http://hooks.example.com/',
    'https://hooks.example.com:6379/',
    'https://10.127.0.1/',
    'https://10.9.9.9/',
  ]
  for (const url of refused) expect(egress.checkUrl(url), url).toMatchObject({ ok: false })
  expect(egress.checkUrl('https://hooks.example.com:8443/')).toMatchObject({ ok: true })
})

it('A01 keeps the prefixes of tunnels refused inside of a network that is allowed', () => {
  const egress = openEgress(options({ EGRESS_ALLOW: '10.0.0.0/8, fd00::/8', EGRESS_PORTS: '443, 9000-9100' }))
  expect(egress.checkUrl('https://10.9.9.9:9050/')).toMatchObject({ ok: true })
  expect(egress.checkUrl('https://10.128.0.1/')).toMatchObject({ ok: false, code: 'address_refused' })
  expect(egress.checkUrl('https://[fd43:756c:7665:8000::1]/')).toMatchObject({ ok: false, code: 'address_refused' })
})

it('reads every setting', () => {
  const env = { EGRESS_ALLOW_HTTP: 'true', EGRESS_REFUSE: '11.0.0.0/8', EGRESS_PROXY: 'http://proxy:3128' }
  expect(options(env)).toEqual({
    allowHttp: true,
    ports: [
      { from: 443, to: 443 },
      { from: 8443, to: 8443 },
    ],
    refusedPrefixes: ['11.0.0.0/8'],
    allowedPrefixes: [],
    proxy: { url: 'http://proxy:3128' },
  })
})
