/**
 * What to answer when the requests of both ends cross: the tables of RFC 7296 2.25.1 and 2.25.2 as functions.
 *
 * ```
 *   the peer asks to        while we                                  answer
 *   rekey a Child SA        know no such SA                           CHILD_SA_NOT_FOUND
 *                           close it, or it is already replaced       TEMPORARY_FAILURE
 *                           rekey it                                  as usual (collision, 2.8.1)
 *                           rekey it, in IKE_FOLLOWUP_KE already       TEMPORARY_FAILURE (RFC 9370 2.2.4)
 *   create/rekey a Child    rekey or close the IKE SA                 TEMPORARY_FAILURE
 *   delete a Child SA       close it                                  without Delete
 *                           do anything else                          Delete
 *   rekey the IKE SA        make, rekey or close a Child SA           TEMPORARY_FAILURE
 *                           close it, or it is already replaced       TEMPORARY_FAILURE
 *                           rekey it                                  as usual (collision, 2.8.2)
 *   close the IKE SA        do anything                               as usual, and our own doing is forgotten
 * ```
 */
import type { ChildSa } from './child-sa.ts'
import type { Attempt } from './request.ts'

export type RekeyVerdict = 'accept' | 'TEMPORARY_FAILURE' | 'CHILD_SA_NOT_FOUND'

/** @param ikeSaCurrent false when the IKE SA is replaced or being closed. */
export function answerToChildCreation(ikeSaCurrent: boolean, pending: Attempt | null): 'accept' | 'TEMPORARY_FAILURE' {
  return ikeSaCurrent && pending?.kind !== 'rekeyIke' ? 'accept' : 'TEMPORARY_FAILURE'
}

/** @param child the Child SA whose outbound SPI is the one in REKEY_SA, null when there is none. */
export function answerToChildRekey(child: ChildSa | null, pending: Attempt | null): RekeyVerdict {
  if (child === null) return 'CHILD_SA_NOT_FOUND'
  const isDecided = pending?.kind === 'rekeyChild' && pending.replaces === child.spiIn && pending.followUp !== null
  if (isDecided) return 'TEMPORARY_FAILURE'
  return child.state.kind === 'installed' ? 'accept' : 'TEMPORARY_FAILURE'
}

/** @returns true when the response carries a Delete for our half: our own Delete is not on its way. */
export function answersWithDelete(child: ChildSa, pending: Attempt | null): boolean {
  return !(pending?.kind === 'deleteChild' && pending.spiIn === child.spiIn)
}

/** @param ikeSaCurrent false when the IKE SA is replaced or being closed. */
export function answerToIkeRekey(ikeSaCurrent: boolean, pending: Attempt | null): 'accept' | 'TEMPORARY_FAILURE' {
  if (!ikeSaCurrent) return 'TEMPORARY_FAILURE'
  switch (pending?.kind) {
    case 'rekeyChild':
    case 'createChild':
    case 'deleteChild':
      return 'TEMPORARY_FAILURE'
    case 'rekeyIke':
      return pending.followUp === null ? 'accept' : 'TEMPORARY_FAILURE'
    case 'liveness':
    case 'updateAddresses':
    case 'announceAddresses':
    case 'redirect':
    case 'deleteIke':
    case 'auth':
    case 'intermediate':
    case undefined:
      return 'accept'
  }
}
