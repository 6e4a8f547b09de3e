/** What a target is: how it renders the model, and what it cannot do. */
import type { DeviceConfigModel } from './model.ts'

export interface Target {
  /** As in Content-Type. */
  readonly mediaType: string
  /** Ending of a file. */
  readonly extension: string
  /** @returns why it cannot be done with this target, as the end of a sentence; null when it can */
  refusal(model: DeviceConfigModel): string | null
  /** Only for a model that is not refused. @returns text in UTF-8 */
  render(model: DeviceConfigModel): string
}

/** What many targets cannot do: the first that applies. */
export function firstRefusal(...refusals: readonly (string | null | false)[]): string | null {
  return refusals.find((refusal): refusal is string => typeof refusal === 'string') ?? null
}

export const noTier = (model: DeviceConfigModel): string =>
  `it has no algorithms of the allowed proposal tiers (${model.tiers.join(', ')})`
export const requiredPpk = ({ ppk }: DeviceConfigModel): string | false =>
  ppk?.isRequired === true && 'the device has a post-quantum key that is required, and this target has no place for one'
