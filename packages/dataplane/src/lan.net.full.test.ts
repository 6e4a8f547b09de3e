/** LANs behind devices, on both rungs. */
import { describe } from 'vitest'
import { lanRules } from '../test/lan-suite.ts'

describe('LANs behind devices, native', () => {
  lanRules(`cvln-${process.pid}`, { concentrator: 'native', device: 'native' })
})
describe('LANs behind devices, portable', () => {
  lanRules(`cvlp-${process.pid}`, { concentrator: 'portable', device: 'portable' })
})
