import { afterEach, describe, expect, it, vi } from 'vitest'
import { readCertificate, type Certificate } from '../certificate/read-certificate.ts'
import { commonName } from '../testing/der-writer.ts'
import { authority, directory, dns, mail, nameConstraints, subjectAltName } from '../testing/forge.ts'
import { isAllowed } from './name-constraints.ts'

afterEach(() => void vi.restoreAllMocks())

const COUNT = 30
const many = (make: (n: number) => Uint8Array): Uint8Array[] => Array.from({ length: COUNT }, (_, n) => make(n))

function read(der: Uint8Array): Certificate {
  const certificate = readCertificate(der)
  if (!certificate.ok) throw new Error(certificate.fault.code)
  return certificate.value
}

describe('N14 names and trees are read once each, however many of the others there are', () => {
  it.each([
    ['directory names', (text: string) => directory(commonName(text))],
    ['host names', dns],
    ['mailboxes', (text: string) => mail(`somebody@${text}`)],
  ])('%s', (_kind, make) => {
    const excluded = many((n) => make(`tree${n}.example`))
    const permitted = [directory(commonName('Named')), ...many((n) => make(`host${n}.example`))]
    const constrained = read(authority(null, { extensions: [nameConstraints({ excluded, permitted })] }).der)
    const names = many((n) => make(`host${n}.example`))
    const named = authority(null, { name: 'Named', extensions: [subjectAltName(...names)] })
    const { nameConstraints: constraints } = constrained.extensions
    const certificate = read(named.der)
    const decode = vi.spyOn(TextDecoder.prototype, 'decode')
    const fromCharCode = vi.spyOn(String, 'fromCharCode')
    const allowed = isAllowed(certificate, constraints === null ? [] : [constraints, constraints])
    const reads = decode.mock.calls.length + fromCharCode.mock.calls.length
    expect(allowed).toBe(true)
    // A mailbox is read as a whole and in its parts; the subject is a name too.
    expect(reads).toBeLessThanOrEqual(2 * 3 * COUNT + 5)
  })
})
