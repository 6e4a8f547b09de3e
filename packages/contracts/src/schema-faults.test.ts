import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { describe, expect, it } from 'vitest'
import { AutomationRuleInput, registerFormats, schemaFaults } from './index.ts'

registerFormats()
const validator = Compile(AutomationRuleInput)
const faultsOf = (actions: readonly unknown[]): object[] => {
  const value = { name: 'x', on: { eventTypes: ['device.online'] }, actions }
  return schemaFaults(validator.Errors(value), value)
}

describe('a union whose branches have a kind', () => {
  it.each([
    ['open_tunnel', { ports: [22] }, { pointer: '/actions/0/allowFrom', message: 'is required' }],
    ['revoke_credentials', { ports: [22] }, { pointer: '/actions/0/ports', message: 'is not known here' }],
    ['deliver_webhook', {}, { pointer: '/actions/0/endpointId', message: 'is required' }],
  ])('says what is wrong with the branch that was meant: %s', (kind, fields, fault) => {
    expect(faultsOf([{ kind, ...fields }])).toEqual([fault])
  })

  it('says which kinds there are when none was meant', () => {
    const kinds =
      'open_tunnel, close_tunnels, tag_device, untag_device, revoke_credentials, call_webhook, deliver_webhook'
    expect(faultsOf([{ kind: 'dig' }])).toEqual([{ pointer: '/actions/0/kind', message: `must be one of ${kinds}` }])
  })

  it('says so also where null would do', () => {
    const ofKind = (kind: string): ReturnType<typeof Type.Object> => Type.Object({ kind: Type.Literal(kind) })
    const schema = Type.Object({ by: Type.Union([ofKind('a'), ofKind('b'), Type.Null()]) })
    const value = { by: { kind: 'c' } }
    expect(schemaFaults(Compile(schema).Errors(value), value)).toEqual([
      { pointer: '/by/kind', message: 'must be one of a, b' },
    ])
  })

  it('says so of each item', () => {
    const faults = faultsOf([
      { kind: 'deliver_webhook' },
      { kind: 'tag_device', tags: ['a=b'] },
      { kind: 'call_webhook' },
    ])
    expect(faults).toEqual([
      { pointer: '/actions/0/endpointId', message: 'is required' },
      { pointer: '/actions/2/url', message: 'is required' },
    ])
  })
})

it('a value that may be null and is neither is told by what it may be besides', () => {
  const schema = Type.Object({ name: Type.Union([Type.String(), Type.Null()]) })
  expect(schemaFaults(Compile(schema).Errors({ name: 1 }), { name: 1 })).toEqual([
    { pointer: '/name', message: 'must be string' },
  ])
})
