import { ed25519 } from '@noble/curves/ed25519.js'
import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { parseSshPublicKey, type SshPublicKey } from './ssh-public-key.ts'

/** Made by ssh-keygen of OpenSSH 9.2, with what `ssh-keygen -l` says about them. */
const made: [bits: number, line: string, fingerprint: string][] = [
  [
    256,
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFR62A1kkwgehwcUQTBaAZeqZWW77LX/xRSmsYPxxRTj',
    'SHA256:cJOYG78TxUz3USzdCi7GktZSKzBsurc3FX/mS03195k',
  ],
  [
    256,
    'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBJM+yqBwf6tMcXaBn//DDgP13Z902s8k8dL6fvYrfeW5wGQmU1bp3oWndKaFr17PR79co6tzbbTTCTrHj4LJFMs=',
    'SHA256:nDHvRsS8Rfdq2UfDX7EIVhR3GzswftO/eou5IGNHmyM',
  ],
  [
    384,
    'ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBMSi61L8SjoZ81UhHKo42iTFUG1wOK5tq1kfkmqFFFSert34xSjU8OUT2pQQd3hqlpXEcmIEwSZaxV1O785PB6Oka2O2mJXN/E7xQZc7BnBIgDHwDKz7kagOa7wWL4QtKA==',
    'SHA256:u1TB1zCpejzXrQKdbOO/u4UX7kz58gPVBEPCyRx+h0s',
  ],
  [
    521,
    'ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAGQ/PSJWajQTTKPsQkoqgP+8n8dBtlla04+F21KGgLt1urRfhRx3G0G1JzOiEZUJVwndp6Jp4NeGH/zU7gx4oZCOQGwjyvdnW6aw3NEsGkJlOnKPDRRA2SNbSWe1lY+15crxprg+HQRw5k3RHu730CH9ayBlBmGsJt8UcV5wcpsJi+QhQ==',
    'SHA256:SxekfHjmUCfnFJs0Zt/DeA1rRU//e/VYSwBMX8QRPmY',
  ],
  [
    2048,
    'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDm+awbVckn834ft86TNo6flePi9wVPhwC2i8wZnJnQ/R+lt7dSMHwYKeQyWxAKv/pEzEaHqjhFR89hea4COXpLtabqRcwDNw08rPbgzeFMO0OwdYYpy1A3tC+ig3K1mF4QaEfsrObwFS+iz2d4rMT0lJ3Q4daiJbhiBiBYTzSRzFR0JdF9rk4qzc4UCCSbBtrlha1L+17h9iBuTWF0XmIYPKF+baE3Qg/rXL57xqC/hVZyVghx93lQ5bBFZUQgk6lVNyfRr4q4GQD/B0FOMeWuSn7aw9WZq5X8XK8eg2pnUwhm8ArMAGXAAyLnc/pR1w7WGW1MFGeabL96mNYt3hCt',
    'SHA256:zZSbKZS51FiCou67DfxR/jzoanQ27wAb4cDtL9LAXto',
  ],
]
const ed = made[0]?.[1] as string

function string(content: Uint8Array | string): Buffer {
  const octets = Buffer.from(content)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(octets.length)
  return Buffer.concat([length, octets])
}
const line = (type: string, ...parts: (Uint8Array | string)[]): string =>
  `${type} ${Buffer.concat([string(type), ...parts.map(string)]).toString('base64')}`
const rsa = (bits: number, exponent: Buffer = Buffer.from('010001', 'hex')): string => {
  const modulus = Buffer.alloc(bits / 8 + 1, 0xff)
  modulus[0] = 0
  return line('ssh-rsa', exponent, modulus)
}
const faultOf = (text: string): string | undefined => {
  const read = parseSshPublicKey(text)
  return 'fault' in read ? read.fault : undefined
}
const point = Buffer.from(ed25519.Point.BASE.toBytes())

describe('an SSH public key', () => {
  it.each(made)('of %i bits is read as ssh-keygen shows it: %s', (bits, text, fingerprint) => {
    expect(parseSshPublicKey(`  ${text} ada@laptop, 2nd\n`)).toEqual({
      type: text.split(' ')[0],
      bits,
      line: text,
      fingerprint,
      comment: 'ada@laptop, 2nd',
    })
    expect((parseSshPublicKey(text) as SshPublicKey).comment).toBe('')
  })

  it('may be in a security key', () => {
    const p256 = Buffer.from(made[1]?.[1].split(' ')[1] as string, 'base64').subarray(-65)
    expect(faultOf(line('sk-ssh-ed25519@openssh.com', point, 'ssh:'))).toBeUndefined()
    expect(faultOf(line('sk-ecdsa-sha2-nistp256@openssh.com', 'nistp256', p256, 'ssh:work'))).toBeUndefined()
    expect(faultOf(line('sk-ssh-ed25519@openssh.com', point))).toBe('contents')
    expect(faultOf(line('sk-ssh-ed25519@openssh.com', point, 'https://example.com'))).toBe('contents')
  })

  it('is refused cut off anywhere, and with anything behind it', () => {
    for (const [, text] of made) {
      const [type, base64] = text.split(' ') as [string, string]
      const blob = Buffer.from(base64, 'base64')
      for (let length = 1; length < blob.length; length++)
        expect(faultOf(`${type} ${blob.subarray(0, length).toString('base64')}`)).toBe('contents')
      expect(faultOf(`${type} ${Buffer.concat([blob, Buffer.from([0])]).toString('base64')}`)).toBe('contents')
    }
  })

  it.each<[fault: string, what: string, text: string]>([
    ['type', 'nothing', ''],
    ['type', 'one word', 'ssh-ed25519'],
    ['type', 'DSA', 'ssh-dss AAAAB3NzaC1kc3MAAACBALTI'],
    ['certificate', 'a certificate', `ssh-ed25519-cert-v01@openssh.com ${ed.split(' ')[1]}`],
    ['options', 'options of authorized_keys', `command="sh",no-pty ${ed} ada`],
    ['several_lines', 'two keys', `${ed}\n${ed}`],
    ['base64', 'no base64', 'ssh-ed25519 ****'],
    ['base64', 'base64 of another alphabet', `${ed.replaceAll('/', '_')}`],
    ['base64', 'base64 with bits beyond its end', `${made[1]?.[1].replace(/s=$/, 't=')}`],
    ['contents', 'another type inside', ed.replace('ssh-ed25519', 'ssh-rsa')],
    ['contents', 'a point off the curve', made[1]?.[1].replace(/LJFMs=$/, 'LJFMw=') as string],
    ['contents', 'a curve under another name', made[1]?.[1].replaceAll('nistp256', 'nistp384') as string],
    ['contents', 'a compressed point', line('ecdsa-sha2-nistp256', 'nistp256', Buffer.alloc(33, 2))],
    ['contents', 'Ed25519 off the curve', line('ssh-ed25519', Buffer.alloc(32, 2))],
    ['contents', 'Ed25519 of small order', line('ssh-ed25519', Buffer.from('01'.padEnd(64, '0'), 'hex'))],
    ['contents', 'Ed25519 of 31 octets', line('ssh-ed25519', point.subarray(1))],
    ['contents', 'exponent 1', rsa(2048, Buffer.from([1]))],
    ['contents', 'an even exponent', rsa(2048, Buffer.from('010000', 'hex'))],
    ['contents', 'a negative exponent', rsa(2048, Buffer.from([0x81]))],
    ['contents', 'an exponent longer than it must be', rsa(2048, Buffer.from('00010001', 'hex'))],
    ['too_short', 'RSA of 1024 bits', rsa(1024)],
    ['too_short', 'RSA of 2040 bits', rsa(2040)],
    ['too_long', 'RSA of 16392 bits', rsa(16_392)],
    ['too_long', 'a megabyte', `ssh-rsa ${'A'.repeat(1 << 20)}`],
    ['comment', 'a long comment', `${ed} ${'x'.repeat(256)}`],
    ['comment', 'an escape sequence', `${ed} \u001b[2J`],
    ['comment', 'a change of direction', `${ed} \u202eadmin`],
  ])('is refused as `%s`: %s', (fault, _what, text) => {
    expect(faultOf(text)).toBe(fault)
  })
})

describe('a private key', () => {
  const pem = (type: 'pkcs1' | 'pkcs8'): string =>
    generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type, format: 'pem' }) as string

  it.each<[what: string, text: () => string]>([
    ['PKCS #1', () => pem('pkcs1')],
    ['PKCS #8', () => pem('pkcs8')],
    ['OpenSSH', () => `-----BEGIN OPENSSH PRIVATE KEY-----\n${Buffer.from('openssh-key-v1\0').toString('base64')}`],
    ['OpenSSH without its frame', () => Buffer.from('openssh-key-v1\0none').toString('base64')],
    ['PuTTY', () => 'PuTTY-User-Key-File-3: ssh-ed25519'],
    ['behind a public one', () => `${ed}\n${pem('pkcs8')}`],
    ['as a comment', () => `${ed} ${pem('pkcs8').replaceAll('\n', ' ')}`],
  ])('is known for what it is: %s', (_, text) => {
    expect(faultOf(text())).toBe('private_key')
  })
})
