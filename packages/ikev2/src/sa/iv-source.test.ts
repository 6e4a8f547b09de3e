import { expect, test } from 'vitest'
import { opensslProvider } from '@culvert/crypto'
import type { Env } from '../endpoint/contract.ts'
import type { IkeSpi } from '../message/model.ts'
import { createIvSource, IV_COUNTER_END, IV_COUNTER_RESERVE, ivsRemain, ivsRunLow, nextAeadIv } from './iv-source.ts'

const env: Env = {
  nowMs: 0,
  rng: (length) => new Uint8Array(length),
  crypto: opensslProvider,
  incarnation: 0xa1b2c3,
  allocateIkeSpi: () => '0000000000000001' as IkeSpi,
  allocateChildSpi: () => null,
}

test('an IV is the incarnation, then the counter', () => {
  const source = createIvSource()
  source.counter = 0x01_0203_0405
  expect(nextAeadIv(source, env)).toEqual(Uint8Array.of(0xa1, 0xb2, 0xc3, 1, 2, 3, 4, 5))
})

test('C09 IVs differ, also where the low 32 bits wrap', () => {
  const source = createIvSource()
  source.counter = 2 ** 32 - 1
  expect(nextAeadIv(source, env)).toEqual(Uint8Array.of(0xa1, 0xb2, 0xc3, 0, 255, 255, 255, 255))
  expect(nextAeadIv(source, env)).toEqual(Uint8Array.of(0xa1, 0xb2, 0xc3, 1, 0, 0, 0, 0))
})

test('the counter ends instead of wrapping, and says so before', () => {
  const source = createIvSource()
  expect(ivsRunLow(source)).toBe(false)
  source.counter = IV_COUNTER_END - IV_COUNTER_RESERVE
  expect([ivsRunLow(source), ivsRemain(source, 1)]).toEqual([true, true])
  source.counter = IV_COUNTER_END - 1
  expect([ivsRemain(source, 1), ivsRemain(source, 2)]).toEqual([true, false])
})
