/**
 * IKE_SA_INIT and IKE_AUTH with a pre-shared key, message by message (RFC 7296 1.2, 2.6, 2.15, 2.21).
 */
import { expect, test } from 'vitest'
import { attachedPair, createPair, initiate } from './pair.ts'

test('attaches in two exchanges', () => {
  const pair = createPair()
  initiate(pair)
  pair.network.run(1_000)
  expect(pair.transcript.take()).toEqual([
    'dev: IKE_SA_INIT request 0, SA, KE, N, N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP), N(IKEV2_FRAGMENTATION_SUPPORTED)',
    'con: IKE_SA_INIT response 0, SA, KE, N, N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP), N(IKEV2_FRAGMENTATION_SUPPORTED)',
    'dev: IKE_AUTH request 1, SK {IDi, IDr, AUTH, N(INITIAL_CONTACT), CP(REQUEST), SA, TSi, TSr}',
    'con: IKE_AUTH response 1, SK {IDr, AUTH, CP(REPLY), SA, TSi, TSr}',
  ])
  expect(pair.device.events.map(({ kind }) => kind)).toEqual(['established', 'childEstablished'])
  expect(pair.concentrator.events.map(({ kind }) => kind)).toEqual(['established', 'childEstablished'])
})

test('both ends hold the same keys, crossed', () => {
  const { device, concentrator } = attachedPair()
  expect(device.child.keys.inboundKey).toEqual(concentrator.child.keys.outboundKey)
  expect(device.child.keys.outboundKey).toEqual(concentrator.child.keys.inboundKey)
  expect(device.child.keys.inboundKey).not.toEqual(device.child.keys.outboundKey)
  expect(device.child.spiIn).toBe(concentrator.child.spiOut)
})
