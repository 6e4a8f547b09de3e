/** What each format must hold to be taken by the software it is for, by the keys that its documentation names. */
import { describe, expect, it } from 'vitest'
import { model, proofs, structureOf, textOf } from '../test/model.ts'
import { libreswanSecrets } from '../test/readers.ts'

const [psk, eap, certificate] = proofs
type Record_ = Record<string, unknown>

describe('mobileconfig', () => {
  const read = (changes: Parameters<typeof model>[0]) =>
    structureOf('mobileconfig', textOf('mobileconfig', model(changes))) as Record_ & { PayloadContent: Record_[] }

  it('is a profile whose payloads have a type, a version, an identifier and a UUID of their own', () => {
    const profile = read({ proof: eap })
    const payloads = [profile, ...profile.PayloadContent]
    for (const payload of payloads) {
      expect(payload).toMatchObject({
        PayloadVersion: 1,
        PayloadIdentifier: expect.stringMatching(/^culvert\./) as string,
      })
      expect(payload['PayloadUUID']).toMatch(/^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/)
    }
    expect(new Set(payloads.map((payload) => payload['PayloadUUID'])).size).toBe(payloads.length)
    expect(payloads.map((payload) => payload['PayloadType'])).toEqual([
      'Configuration',
      'com.apple.vpn.managed',
      'com.apple.security.root',
    ])
  })

  it('says all that IKEv2 requires, one proposal in each dictionary', () => {
    const [vpn] = read({ proof: psk }).PayloadContent
    expect(vpn).toMatchObject({
      VPNType: 'IKEv2',
      IKEv2: {
        RemoteAddress: '192.0.2.1',
        RemoteIdentifier: 'concentrator.fleet.culvert.internal',
        LocalIdentifier: 'aaaaaaaaaaaaaaaaaaaa.acme.fleet.culvert.internal',
        AuthenticationMethod: 'SharedSecret',
        SharedSecret: '@CULVERT-PSK@',
        ExtendedAuthEnabled: 0,
        IKESecurityAssociationParameters: {
          EncryptionAlgorithm: 'AES-256-GCM',
          IntegrityAlgorithm: 'SHA2-384',
          DiffieHellmanGroup: 31,
          LifeTimeInMinutes: 240,
        },
        ChildSecurityAssociationParameters: { EncryptionAlgorithm: 'AES-256-GCM', LifeTimeInMinutes: 60 },
      },
    })
  })

  it('takes the concentrator by its certificate where EAP proves the device', () => {
    const [vpn] = read({ proof: eap }).PayloadContent
    expect(vpn).toMatchObject({
      IKEv2: { AuthenticationMethod: 'Certificate', ExtendedAuthEnabled: 1, AuthName: eap.userName },
    })
  })
})

describe('sswan', () => {
  /** Keys of the file format, with what they hold. */
  const documented: Record<string, (value: unknown) => boolean> = {
    uuid: (value) => /^[0-9a-f-]{36}$/.test(value as string),
    type: (value) => ['ikev2-eap', 'ikev2-cert'].includes(value as string),
    'remote.addr': isText,
    'remote.id': isText,
    'remote.cert': (value) => /^[A-Za-z0-9+/]+=*$/.test(value as string),
    'local.id': isText,
    'local.eap_id': isText,
    'local.shared_secret': isText,
    'ike-proposal': (value) => /^[a-z0-9]+(-[a-z0-9]+)+$/.test(value as string),
    'esp-proposal': (value) => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(value as string),
    'split-tunneling.subnets': (value) => (value as unknown[]).every(isText),
    'nat-keepalive': Number.isInteger,
  }

  function isText(value: unknown): boolean {
    return typeof value === 'string' && value !== ''
  }

  it.each([eap, certificate])('has the required keys and none that is not documented ($kind)', (proof) => {
    const profile = JSON.parse(textOf('sswan', model({ proof }))) as Record_
    expect(profile).toMatchObject({ name: 'Culvert Pump 7' })
    const flat: (readonly [string, unknown])[] = Object.entries(profile).flatMap(([key, value]) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.entries(value).map(([inner, item]): [string, unknown] => [`${key}.${inner}`, item])
        : [[key, value]],
    )
    for (const [key, value] of flat) if (key !== 'name') expect([key, documented[key]?.(value)]).toEqual([key, true])
    expect(flat.map(([key]) => key)).toEqual(expect.arrayContaining(['uuid', 'type', 'remote.addr']))
  })
})

describe('openwrt', () => {
  it('refers only to sections that are there, in both dialects', () => {
    for (const target of ['openwrt-uci', 'openwrt-uci-legacy'] as const) {
      const sections = structureOf(target, textOf(target, model())) as {
        type: string
        name: string
        options: string[][]
      }[]
      const names = sections.map(({ name }) => name)
      for (const { options } of sections) {
        const referred = options.filter(([, key = '']) => ['crypto_proposal', 'child', 'tunnel'].includes(key))
        for (const [, , name] of referred) expect(names).toContain(name)
      }
      expect(new Set(names).size).toBe(names.length)
    }
  })

  it('has the option names of its dialect', () => {
    const now = textOf('openwrt-uci', model())
    expect(now).toContain("\tlist remote_addrs '192.0.2.1'\n\tlist remote_addrs '2001:db8::1'\n\tlist vips '0.0.0.0'\n")
    expect(now).toContain("\tlist child 'culvert_child'\n")
    const before = textOf('openwrt-uci-legacy', model())
    expect(before).toContain("\toption gateway '192.0.2.1'\n\tlist local_sourceip '0.0.0.0'\n")
    expect(before).toContain("config tunnel 'culvert_child'\n")
  })

  it('never writes a hash beside an AEAD: its init script stops at that', () => {
    const sections = structureOf('openwrt-uci', textOf('openwrt-uci', model())) as { options: string[][] }[]
    const keysOfAeads = sections
      .filter(({ options }) =>
        options.some(([, key, value]) => key === 'encryption_algorithm' && value?.includes('gcm')),
      )
      .map(({ options }) => options.map(([, key]) => key))
    expect(keysOfAeads.length).toBeGreaterThan(0)
    expect(keysOfAeads.flat()).not.toContain('hash_algorithm')
  })
})

describe('routeros7', () => {
  it('makes profile, proposal, mode-config, group and template before what names them', () => {
    const commands = structureOf('routeros7', textOf('routeros7', model())) as {
      path: string
      values: Record<string, string>
    }[]
    const made = new Set<string>()
    for (const { path, values } of commands) {
      const kind = path.replace(/ add$/, '')
      for (const [key, of] of [
        ['profile', 'profile'],
        ['proposal', 'proposal'],
        ['mode-config', 'mode-config'],
        ['policy-template-group', 'policy group'],
        ['group', 'policy group'],
        ['peer', 'peer'],
      ] as const)
        if (values[key]) expect(made).toContain(`${of} ${values[key]}`)
      if (values['name']) made.add(`${kind} ${values['name']}`)
    }
    expect(commands.at(-1)?.values).toMatchObject({
      'auth-method': 'pre-shared-key',
      'my-id': 'fqdn:aaaaaaaaaaaaaaaaaaaa.acme.fleet.culvert.internal',
    })
  })
})

describe('ios-xe', () => {
  it('links every proposal to the policy, and every transform set to the profile', () => {
    const text = textOf('ios-xe', model())
    for (const name of text.matchAll(/^crypto ikev2 proposal (\S+)$/gm))
      expect(text).toContain(`\n proposal ${name[1]}\n`)
    for (const name of text.matchAll(/^crypto ipsec transform-set (\S+) /gm))
      expect(text).toMatch(new RegExp(`^ set transform-set .*${name[1]}`, 'm'))
    expect(text).toContain('ip route 10.127.0.0 255.255.255.0 Tunnel4500')
  })
})

describe('libreswan', () => {
  it('has one line of secrets for each of them', () => {
    const ppk = { identity: 'abc.ppk', isRequired: true }
    expect(libreswanSecrets(textOf('libreswan', model({ ppk })))).toEqual([
      '@aaaaaaaaaaaaaaaaaaaa.acme.fleet.culvert.internal @concentrator.fleet.culvert.internal : PSK @CULVERT-PSK@',
      '@aaaaaaaaaaaaaaaaaaaa.acme.fleet.culvert.internal @concentrator.fleet.culvert.internal : PPKS "abc.ppk" @CULVERT-PPK@',
    ])
  })
})

describe('windows-powershell', () => {
  it('trusts the authority, makes the connection with one proposal and its routes', () => {
    const tokens = (
      structureOf('windows-powershell', textOf('windows-powershell', model({ proof: eap }))) as string[]
    ).join(' ')
    expect(tokens).toContain('Import-Certificate -FilePath $file -CertStoreLocation')
    expect(tokens).toContain('Add-VpnConnection -Name Culvert -ServerAddress 192.0.2.1 -TunnelType Ikev2')
    expect(tokens).toContain('-EncryptionMethod GCMAES256 -IntegrityCheckMethod SHA384 -DHGroup ECP384')
    expect(tokens).toContain(
      'Add-VpnConnectionRoute -ConnectionName Culvert -AllUserConnection -DestinationPrefix 10.127.0.0/24',
    )
    expect(tokens).toContain(`rasdial.exe Culvert ${eap.userName} @CULVERT-PASSWORD@`)
  })
})
