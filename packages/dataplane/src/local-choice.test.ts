import { expect, it } from 'vitest'
import { chooseLocal } from './local-choice.ts'

const at = (address: string, port = 4500): { address: string; port: number } => ({ address, port })
const BOUND = [at('192.0.2.1'), at('2001:db8::1'), at('192.0.2.2'), at('192.0.2.2', 4501)]

it.each([
  ['the socket of the local address', at('198.51.100.9'), at('192.0.2.2'), 2],
  ['and of its port', at('198.51.100.9'), at('192.0.2.2', 4501), 3],
  ['the first of the family when no socket has that address', at('198.51.100.9'), at('192.0.2.77'), 0],
  ['the first of the family when no address is asked for', at('2001:db8:9::1'), undefined, 1],
  ['never one of another family', at('2001:db8:9::1'), at('192.0.2.2'), 1],
])('sends over %s', (_title, remote, local, expected) => {
  expect(chooseLocal(BOUND, remote, local)).toBe(expected)
})

it('prefers a wildcard to a socket of another address', () => {
  const bound = [at('192.0.2.1'), at('0.0.0.0')]
  expect(chooseLocal(bound, at('198.51.100.9'), at('192.0.2.77'))).toBe(1)
})

it('finds none when no socket speaks the family', () => {
  expect(chooseLocal([at('192.0.2.1')], at('2001:db8:9::1'), undefined)).toBe(-1)
})
