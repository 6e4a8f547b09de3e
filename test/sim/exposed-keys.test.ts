/**
 * Keys for a dissector: of every IKE SA, on both ends, and only where the configuration asks for them.
 */
import { expect, test } from 'vitest'
import { attachedPair } from './pair.ts'

test('exposed keys come with IKE_SA_INIT and with every rekey, alike on both ends', () => {
  const { device, concentrator, network } = attachedPair({
    device: { exposeKeys: true },
    concentrator: { exposeKeys: true },
  })
  device.command({ kind: 'rekeyIke', key: device.key })
  network.run(1_000)
  concentrator.command({ kind: 'rekeyIke', key: concentrator.key })
  network.run(1_000)
  const keys = device.eventsOf('ikeKeys').map((event) => event.keys)
  expect(keys).toHaveLength(3)
  expect(concentrator.eventsOf('ikeKeys').map((event) => event.keys)).toEqual(keys)
  expect(keys[0]?.skEi).not.toEqual(keys[0]?.skEr)
  expect(keys[0]?.skEi.some((octet) => octet !== 0)).toBe(true)
})

test('without the setting no key leaves the core', () => {
  const { device, concentrator } = attachedPair()
  expect([...device.eventsOf('ikeKeys'), ...concentrator.eventsOf('ikeKeys')]).toEqual([])
})
