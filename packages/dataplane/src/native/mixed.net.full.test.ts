/**
 * The native rung together with the portable one, by the rules of every rung.
 */
import { describe } from 'vitest'
import { forwardingRules } from '../../test/forwarding-suite.ts'

describe('native concentrator, portable device', () => {
  forwardingRules('cvnp', { concentrator: 'native', device: 'portable' })
})
describe('portable concentrator, native device', () => {
  forwardingRules('cvpn', { concentrator: 'portable', device: 'native' })
})
