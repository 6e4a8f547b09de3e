/** The transforms chosen for an IKE SA; one object for all IKE SAs that chose alike. */
import type { TierName } from '../endpoint/contract.ts'
import type { Transform } from '../message/model.ts'

export interface IkeTransforms {
  readonly encr: Transform
  readonly prf: Transform
  readonly integ: Transform | null
  readonly ke: Transform
  /** Methods of the additional key exchanges in order, without NONE (RFC 9370). */
  readonly additionalKe: readonly Transform[]
  /** The tier in which they were chosen; null as initiator, and without tiers. */
  readonly tier: TierName | null
}
