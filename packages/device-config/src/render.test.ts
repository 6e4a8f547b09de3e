/** What holds for every target, whatever was typed: nothing but comments and names changes, and a secret arrives as it is. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DeviceConfigModel, ProofKind } from './model.ts'
import { configTargets, renderConfig, type ConfigTarget } from './render.ts'
import { markers } from './secret.ts'
import { authority, model, proofs, structureOf, textOf } from '../test/model.ts'

/** Everything that could end a line, a string, a comment or an element somewhere. */
const nasty = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\n',
        '\r',
        '\r\n',
        '\u0085',
        '\u2028',
        '\u2029',
        '\v',
        '\f',
        '\0',
        '"',
        "'",
        '\\',
        '$',
        '`',
        '#',
        '!',
        ';',
      ),
      fc.constantFrom(
        '{',
        '}',
        '<',
        '>',
        '&',
        ']]>',
        '-->',
        "'@",
        "@'",
        '</string>',
        '$(reboot)',
        '%',
        '?',
        '\u2018',
        '\u2019',
        '\u202e',
      ),
      fc.constantFrom(
        'include /etc/passwd',
        'config remote',
        'conn evil',
        '/system reset',
        'no aaa new-model',
        '=',
        ',',
        ' ',
      ),
      fc.string({ unit: 'binary', maxLength: 8 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''))
const secret = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 16,
  maxLength: 64,
})

const combinations = configTargets.flatMap((target) =>
  proofs.flatMap((proof) => {
    const base = model({ proof })
    return renderConfig(target, base).ok ? [[target, proof.kind, base] as const] : []
  }),
)

describe.each(combinations)('%s with %s', (target, _kind, base) => {
  it('makes directives of nothing that is typed in a name or a tag', () => {
    const expected = structureOf(target, textOf(target, base))
    fc.assert(
      fc.property(nasty, fc.array(nasty, { maxLength: 3 }), (name, tags) => {
        const text = textOf(target, { ...base, device: { ...base.device, name, tags } })
        expect(structureOf(target, text)).toEqual(expected)
      }),
      { numRuns: 60 },
    )
  })

  it('says the same each time', () => {
    expect(textOf(target, base)).toBe(textOf(target, structuredClone(base)))
  })
})

const withSecret = combinations.flatMap(([target, kind, base]) =>
  kind === 'certificate' ? [] : [[target, kind, base] as const],
)

it.each(withSecret)(
  '%s with %s holds a marker while the secret is not known, and the secret when it is',
  (target, kind, base) => {
    expect(textOf(target, base)).toContain(markers[kind])
    const known = textOf(target, { ...base, secrets: { [kind]: 'k7Qd0vZtL2mXr8WpYc5NhA' } })
    expect(known).not.toContain('@CULVERT-')
    expect(known.includes('k7Qd0vZtL2mXr8WpYc5NhA') || known.includes('0x6b375164')).toBe(true)
  },
)

const withPsk = withSecret.filter(([, kind]) => kind === 'psk')

it.each(withPsk)('%s with %s carries any secret without changing anything else', (target, _kind, base) => {
  const expected = structureOf(target, textOf(target, { ...base, secrets: { psk: 'SECRET' } }), 'SECRET')
  const isRefused = (psk: string): boolean => target === 'ios-xe' && /[?!"]/.test(psk)
  fc.assert(
    fc.property(secret, (psk) => {
      const rendered = renderConfig(target, { ...base, secrets: { psk } })
      expect(rendered.ok).toBe(!isRefused(psk))
      if (rendered.ok) expect(structureOf(target, rendered.text, psk)).toEqual(expected)
    }),
    { numRuns: 60 },
  )
})

describe('what a target cannot do', () => {
  const refused = (target: ConfigTarget, changes: Partial<DeviceConfigModel>) => {
    const rendered = renderConfig(target, model(changes))
    return rendered.ok ? null : rendered
  }

  it.each([
    ['openwrt-uci', 'eap'],
    ['openwrt-uci-legacy', 'eap'],
    ['libreswan', 'eap'],
    ['mobileconfig', 'certificate'],
    ['sswan', 'psk'],
    ['windows-powershell', 'psk'],
    ['ios-xe', 'eap'],
  ] as const)('%s refuses %s, says why and which targets can', (target, kind) => {
    const proof = proofs.find((one) => one.kind === (kind as ProofKind))!
    const answer = refused(target, { proof })
    expect(answer?.reason).toMatch(/^[a-zA-Z].*[^.]$/)
    expect(answer?.instead).toContain('swanctl')
    expect(answer?.instead).not.toContain(target)
  })

  it.each([
    ['routeros7', ['modern']],
    ['sswan', ['compat']],
  ] as const)('%s refuses tiers that it has no algorithms of', (target, tiers) => {
    expect(refused(target, { tiers, proof: { kind: 'eap', userName: 'a.b' } })?.reason).toContain(tiers[0])
  })

  it.each(['openwrt-uci', 'routeros7', 'sswan', 'windows-powershell'] as const)(
    '%s refuses a required post-quantum key, and leaves out one that is not',
    (target) => {
      const proof = target === 'sswan' || target === 'windows-powershell' ? proofs[1]! : proofs[0]!
      expect(refused(target, { proof, ppk: { identity: 'p.ppk', isRequired: true } })?.reason).toContain('post-quantum')
      const optional = model({ proof, ppk: { identity: 'p.ppk', isRequired: false } })
      expect(textOf(target, optional)).not.toContain(markers.ppk)
    },
  )

  it('a profile for Apple holds a post-quantum key only when it is known', () => {
    const ppk = { identity: 'p.ppk', isRequired: true }
    expect(refused('mobileconfig', { ppk })?.reason).toContain('one-time link')
    const known = structureOf('mobileconfig', textOf('mobileconfig', model({ ppk, secrets: { psk: 'x', ppk: 'abc' } })))
    expect(JSON.stringify(known)).toContain('"PPKIdentifier":"p.ppk","PPKMandatory":1')
  })

  it.each([
    ['libreswan', 'ed25519', 'ecdsa'],
    ['routeros7', 'ecdsa', 'rsa'],
    ['ios-xe', 'ed25519', 'ecdsa'],
  ] as const)('%s refuses a certificate on %s, and takes one on %s', (target, refusedKey, takenKey) => {
    expect(refused(target, { proof: { kind: 'certificate', key: refusedKey } })?.reason).toContain('key of the cert')
    expect(refused(target, { proof: { kind: 'certificate', key: takenKey } })).toBeNull()
  })

  it('compat is written only where nothing else is allowed', () => {
    const rendered = configTargets.flatMap((target) =>
      proofs.map((proof) => renderConfig(target, model({ proof, tiers: ['modern', 'standard', 'compat'] }))),
    )
    const texts = rendered.flatMap((one) => (one.ok ? [one.text.replace('"compat"', '')] : []))
    expect(texts.length).toBeGreaterThan(configTargets.length)
    for (const text of texts) expect(text).not.toMatch(/sha1|SHA1|sha-hmac|modp1536|3des/i)
  })

  it('a model that needs quoting is a bug, not a configuration', () => {
    for (const bad of ['a b', 'a"b', "a'b", 'a\nb', 'a$b', 'a{b', 'a#b', 'ä', '']) {
      expect(() => renderConfig('swanctl', model({ identity: bad }))).toThrow('not a configuration')
      expect(() => renderConfig('swanctl', model({ lanPrefixes: [bad] }))).toThrow('not a configuration')
    }
    expect(() => renderConfig('swanctl', model({ secrets: { psk: 'a b' } }))).toThrow('not a configuration')
    expect(() => renderConfig('windows-powershell', model({ authorities: [`${authority}'@\nevil`] }))).toThrow('PEM')
  })
})
