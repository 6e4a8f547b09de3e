import { describe, expect, it } from 'vitest'
import { type FailureCode } from './failure.ts'
import { openEgress } from './index.ts'

const egress = openEgress({ ownAddresses: () => [] })
const plain = openEgress({ allowHttp: true, ownAddresses: () => [] })

describe('checkUrl', () => {
  it.each([
    ['https://hooks.example.com/in?a=1', 'https://hooks.example.com/in?a=1'],
    ['HTTPS://Hooks.Example.COM:443/x#part', 'https://hooks.example.com/x'],
    ['https://hooks.example.com:8443', 'https://hooks.example.com:8443/'],
    ['https://hooks.example.com./', 'https://hooks.example.com/'],
    ['https://bücher.example/', 'https://xn--bcher-kva.example/'],
    ['https://8.8.8.8/', 'https://8.8.8.8/'],
    ['https://[2606:4700:4700::1111]/', 'https://[2606:4700:4700::1111]/'],
  ])('takes %s as %s', (text, url) => {
    expect(egress.checkUrl(text)).toEqual({ ok: true, url })
  })

  const loopback = [
    'https://127.0.0.1/',
    'https://127.0.0.1./',
    'https://127.1/',
    'https://127.0.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0x7F.0.0.1/',
    'https://0177.0.0.1/',
    'https://017700000001/',
    'https://0177.0x0.0.1/',
    'https://127.0.0.0x1/',
    'https://%31%32%37.0.0.1/',
    'https://１２７.０.０.１/',
    'https://①②⑦.⓪.⓪.①/',
    'https://127。0。0。1/',
    'https://0/',
    'https://0.0.0.0/',
    'https://[::1]/',
    'https://[0:0:0:0:0:0:0:1]/',
    'https://[::]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://[::127.0.0.1]/',
    'https://[64:ff9b::127.0.0.1]/',
    'https://[2002:7f00:1::]/',
    'https://169.254.169.254/latest/meta-data/',
    'https://2852039166/',
    'https://0xa9fea9fe/',
    'https://0251.0376.0251.0376/',
    'https://[::ffff:a9fe:a9fe]/',
    'https://[fd00:ec2::254]/',
    'https://10.128.0.7/',
    'https://192.168.1/',
    'https://[fe80::1]/',
  ]
  it.each(loopback)('A01 refuses the address in every notation: %s', (text) => {
    expect(egress.checkUrl(text)).toMatchObject({ ok: false, code: 'address_refused' })
  })

  it.each<[FailureCode, string]>([
    ['scheme_refused', 'http://hooks.example.com/'],
    ['scheme_refused', 'ftp://hooks.example.com/'],
    ['scheme_refused', 'file:///etc/passwd'],
    ['scheme_refused', 'gopher://hooks.example.com/'],
    ['scheme_refused', 'data:text/plain,x'],
    ['scheme_refused', 'javascript:alert(1)'],
    ['credentials_refused', 'https://user@hooks.example.com/'],
    ['credentials_refused', 'https://user:pass@hooks.example.com/'],
    ['credentials_refused', 'https://:pass@hooks.example.com/'],
    ['credentials_refused', 'https://hooks.example.com@127.0.0.1/'],
    ['credentials_refused', 'https://hooks.example.com%23@evil.example/'],
    ['port_refused', 'https://hooks.example.com:6379/'],
    ['port_refused', 'https://hooks.example.com:5432/'],
    ['port_refused', 'https://hooks.example.com:22/'],
    ['port_refused', 'https://hooks.example.com:80/'],
    ['port_refused', 'https://hooks.example.com:0/'],
    ['host_refused', 'https://localhost/'],
    ['host_refused', 'https://LOCALHOST./'],
    ['host_refused', 'https://a.localhost/'],
    ['host_refused', 'https://redis/'],
    ['host_refused', 'https://postgres:8443/'],
    ['invalid_url', 'https://hooks.example.com:65536/'],
    ['invalid_url', 'https://'],
    ['invalid_url', 'hooks.example.com'],
    ['invalid_url', ''],
    ['invalid_url', 'https:\\\\hooks.example.com\\'],
    ['invalid_url', 'https://hooks.example.com\\@127.0.0.1/'],
    ['invalid_url', ' https://hooks.example.com/'],
    ['invalid_url', 'https://hooks.exa\tmple.com/'],
    ['invalid_url', 'https://hooks.example.com/\r\nX: y'],
    ['invalid_url', 'https://hooks..example.com/'],
    ['invalid_url', 'https://[fe80::1%25eth0]/'],
    ['invalid_url', 'https://127.0.0.256/'],
    ['invalid_url', 'https://999999999999/'],
    ['invalid_url', `https://hooks.example.com/${'a'.repeat(2048)}`],
    ['invalid_url', `https://${'a'.repeat(64)}.example.com/`],
    ['invalid_url', `https://${'abcdefghi.'.repeat(26)}example/`],
    ['invalid_url', "https://a'b.example.com/"],
    ['invalid_url', 'https://*.example.com/'],
  ])('A01 refuses with %s: %s', (code, text) => {
    expect(egress.checkUrl(text)).toMatchObject({ ok: false, code })
  })

  it('takes http and its ports only when that is set', () => {
    expect(plain.checkUrl('http://hooks.example.com/')).toMatchObject({ ok: true })
    expect(plain.checkUrl('http://hooks.example.com:8080/')).toMatchObject({ ok: true })
    expect(plain.checkUrl('http://hooks.example.com:6379/')).toMatchObject({ code: 'port_refused' })
    expect(plain.checkUrl('http://0x7f.1/')).toMatchObject({ code: 'address_refused' })
    expect(egress.checkUrl('https://hooks.example.com:8080/')).toMatchObject({ code: 'port_refused' })
  })

  it('has the ports of the setting, and says which', () => {
    const wide = openEgress({
      ports: [
        { from: 443, to: 443 },
        { from: 9000, to: 9100 },
      ],
    })
    expect(wide.checkUrl('https://hooks.example.com:9050/')).toMatchObject({ ok: true })
    expect(wide.checkUrl('https://hooks.example.com:9101/')).toMatchObject({
      code: 'port_refused',
      message: 'Port 9101 is not allowed; allowed: 443, 9000-9100.',
    })
  })
})
