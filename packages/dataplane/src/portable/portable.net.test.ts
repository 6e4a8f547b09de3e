/**
 * The portable rung with real kernels, by the rules of every rung.
 */
import { describe } from 'vitest'
import { forwardingRules } from '../../test/forwarding-suite.ts'

describe('portable data plane', () => {
  forwardingRules('cvdp', { concentrator: 'portable', device: 'portable' })
})
