/** RFC 5903 8: whole KE payloads and shared secrets of groups 19, 20 and 21. */
import { describe, expect, it } from 'vitest'
import { PROVIDERS, privateValue } from './provider-cases.ts'
import { hex, readJson } from './vector-file.ts'

interface EcpCase {
  readonly group: number
  readonly i: string
  readonly r: string
  readonly girx: string
  readonly KEi_payload: string
  readonly KEr_payload: string
}

const CASES = readJson<{ readonly cases: readonly EcpCase[] }>('rfc/rfc5903_ecp_ke_payloads.json').cases
/** Generic header, group number and reserved field (RFC 7296 3.4). */
const KE_HEADER_BYTES = 8

describe.each(PROVIDERS)('RFC 5903 on $name', (provider) => {
  it.each(CASES)('group $group: public values fill the KE payloads and both sides agree', (entry) => {
    const initiator = privateValue(provider, entry.group, hex(entry.i))
    const responder = privateValue(provider, entry.group, hex(entry.r))
    expect(initiator.publicValue).toEqual(hex(entry.KEi_payload).slice(KE_HEADER_BYTES))
    expect(responder.publicValue).toEqual(hex(entry.KEr_payload).slice(KE_HEADER_BYTES))
    expect(initiator.sharedSecret(responder.publicValue)).toEqual(hex(entry.girx))
    expect(responder.sharedSecret(initiator.publicValue)).toEqual(hex(entry.girx))
  })

  it('covers groups 19, 20 and 21', () => {
    expect(CASES.map((entry) => entry.group)).toEqual([19, 20, 21])
  })
})
