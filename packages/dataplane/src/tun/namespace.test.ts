import { describe, expect, it } from 'vitest'
import { configureTun, ensureNamespace, namespaceExists, removeNamespace, removeTun } from './namespace.ts'

const CONFIGURATION = { namespace: null, name: 'tun0', mtuBytes: 1400, addresses: [], routes: [] }

describe('names and prefixes', () => {
  it.each(['', '-all', '../host', 'a b', 'a/b', 'a;reboot', 'x'.repeat(65)])('refuses the name "%s"', async (name) => {
    await expect(ensureNamespace(name)).rejects.toThrow('is not a name')
    await expect(removeNamespace(name)).rejects.toThrow('is not a name')
    await expect(removeTun(null, name)).rejects.toThrow('is not a name')
    await expect(configureTun({ ...CONFIGURATION, name })).rejects.toThrow('is not a name')
    await expect(configureTun({ ...CONFIGURATION, namespace: name })).rejects.toThrow('is not a name')
  })

  it.each(['-6', 'default', '10.0.0.0/8 dev eth0', '10.0.0.0/1234', 'to'])(
    'refuses the prefix "%s" before anything is changed',
    async (prefix) => {
      await expect(configureTun({ ...CONFIGURATION, addresses: [prefix] })).rejects.toThrow('is not an address')
      await expect(configureTun({ ...CONFIGURATION, routes: [prefix] })).rejects.toThrow('is not an address')
    },
  )

  it('removing a namespace that is not there is fine', async () => {
    expect(namespaceExists('culvert-nowhere')).toBe(false)
    await expect(removeNamespace('culvert-nowhere')).resolves.toBeUndefined()
    await expect(removeTun('culvert-nowhere', 'tun0')).resolves.toBeUndefined()
  })
})
