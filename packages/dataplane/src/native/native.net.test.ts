/**
 * The native rung with real kernels, by the rules of every rung.
 */
import { describe } from 'vitest'
import { forwardingRules } from '../../test/forwarding-suite.ts'

describe('native data plane', () => {
  forwardingRules('cvnn', { concentrator: 'native', device: 'native' })
})
describe('native data plane of three threads', () => {
  forwardingRules('cvn3', { concentrator: 'native', device: 'native', dataThreads: 3 })
})
