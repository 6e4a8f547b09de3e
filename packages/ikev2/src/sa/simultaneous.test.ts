import { describe, expect, test } from 'vitest'
import type { IkeSpi, Spi } from '../message/model.ts'
import { type ChildSa, createChildSa, replaceChildSa, startDeletion } from './child-sa.ts'
import type { Attempt } from './request.ts'
import { answersWithDelete, answerToChildCreation, answerToChildRekey, answerToIkeRekey } from './simultaneous.ts'

const OFFER = { protocolId: 3, nonce: new Uint8Array(32), suites: [], group: 0, additionalKe: false, keyExchange: null }
const REKEY_IKE: Attempt = {
  kind: 'rekeyIke',
  localSpi: '0000000000000001' as IkeSpi,
  offer: OFFER,
  refusals: 0,
  rival: null,
  followUp: null,
}
const REKEY_CHILD: Attempt = {
  kind: 'rekeyChild',
  replaces: 1_000 as Spi,
  spiIn: 1_001 as Spi,
  offer: OFFER,
  mode: 'tunnel',
  tsLocal: [],
  tsRemote: [],
  isWider: false,
  refusals: 0,
  rival: null,
  followUp: null,
}
const DELETE_CHILD: Attempt = { kind: 'deleteChild', spiIn: 1_000 as Spi }

function child(): ChildSa {
  return createChildSa({
    spiIn: 1_000 as Spi,
    spiOut: 2_000 as Spi,
    protocol: 'esp',
    encr: { type: 1, id: 20, keyBits: 256 },
    integ: null,
    esn: false,
    group: 0,
    additionalKe: false,
    mode: 'tunnel',
    tsLocal: [],
    tsRemote: [],
    replaces: null,
    outboundActive: true,
    rekeyAtMs: Infinity,
    expiresAtMs: Infinity,
  })
}

const FOLLOW_UP: Pick<Extract<Attempt, { kind: 'rekeyChild' }>, 'followUp'> = {
  followUp: { input: {} as never, methods: [], secrets: [], keyExchange: {} as never },
}

test('RFC 9370 2.2.4 what is in IKE_FOLLOWUP_KE is decided: the same rekey of the peer gets TEMPORARY_FAILURE', () => {
  const attempt = REKEY_CHILD.kind === 'rekeyChild' ? REKEY_CHILD : null
  if (attempt === null || REKEY_IKE.kind !== 'rekeyIke') throw new Error('they are')
  expect(answerToChildRekey(child(), attempt)).toBe('accept')
  expect(answerToChildRekey(child(), { ...attempt, ...FOLLOW_UP })).toBe('TEMPORARY_FAILURE')
  expect(answerToChildRekey(child(), { ...attempt, ...FOLLOW_UP, replaces: 7 as Spi })).toBe('accept')
  expect(answerToIkeRekey(true, { ...REKEY_IKE, followUp: FOLLOW_UP.followUp as never })).toBe('TEMPORARY_FAILURE')
})

describe('C57 the tables of RFC 7296 2.25', () => {
  test('rekey of a Child SA that is not there: CHILD_SA_NOT_FOUND', () => {
    expect(answerToChildRekey(null, null)).toBe('CHILD_SA_NOT_FOUND')
  })

  test('rekey of a Child SA that is being closed or replaced: TEMPORARY_FAILURE; of any other: as usual', () => {
    const [deleting, replaced] = [child(), child()]
    startDeletion(deleting)
    replaceChildSa(replaced, 3_000 as Spi, 1)
    expect([deleting, replaced, child()].map((old) => answerToChildRekey(old, null))).toEqual([
      'TEMPORARY_FAILURE',
      'TEMPORARY_FAILURE',
      'accept',
    ])
  })

  test('a Child SA during a rekey or the end of the IKE SA: TEMPORARY_FAILURE', () => {
    expect(answerToChildCreation(true, REKEY_IKE)).toBe('TEMPORARY_FAILURE')
    expect(answerToChildCreation(false, null)).toBe('TEMPORARY_FAILURE')
    expect([null, REKEY_CHILD, DELETE_CHILD].map((attempt) => answerToChildCreation(true, attempt))).toEqual([
      'accept',
      'accept',
      'accept',
    ])
  })

  test('Delete of a Child SA we delete ourselves is answered without Delete', () => {
    expect(answersWithDelete(child(), DELETE_CHILD)).toBe(false)
    expect(answersWithDelete(child(), REKEY_CHILD)).toBe(true)
    expect(answersWithDelete(child(), null)).toBe(true)
  })

  test('rekey of the IKE SA while a Child SA is made, rekeyed or closed, or the IKE SA ends: TEMPORARY_FAILURE', () => {
    expect([REKEY_CHILD, DELETE_CHILD].map((attempt) => answerToIkeRekey(true, attempt))).toEqual([
      'TEMPORARY_FAILURE',
      'TEMPORARY_FAILURE',
    ])
    expect(answerToIkeRekey(false, null)).toBe('TEMPORARY_FAILURE')
  })

  test('rekey of the IKE SA while we rekey it, or only ask whether the peer lives: as usual', () => {
    expect(answerToIkeRekey(true, REKEY_IKE)).toBe('accept')
    expect(answerToIkeRekey(true, { kind: 'liveness', cookie2: null })).toBe('accept')
    expect(answerToIkeRekey(true, null)).toBe('accept')
  })
})
