/** One model, many targets: text for the device, or why this target cannot do it and which can. */
import { checkModel, type DeviceConfigModel } from './model.ts'
import type { Target } from './target.ts'
import { genericJson } from './targets/generic-json.ts'
import { iosXe } from './targets/ios-xe.ts'
import { libreswan } from './targets/libreswan.ts'
import { mobileconfig } from './targets/mobileconfig.ts'
import { openwrtUci, openwrtUciLegacy } from './targets/openwrt-uci.ts'
import { routeros7 } from './targets/routeros7.ts'
import { sswan } from './targets/sswan.ts'
import { swanctl } from './targets/swanctl.ts'
import { windowsPowershell } from './targets/windows-powershell.ts'

const targets = {
  swanctl,
  'openwrt-uci': openwrtUci,
  'openwrt-uci-legacy': openwrtUciLegacy,
  routeros7,
  libreswan,
  mobileconfig,
  sswan,
  'windows-powershell': windowsPowershell,
  'ios-xe': iosXe,
  'generic-json': genericJson,
} as const satisfies Record<string, Target>

export type ConfigTarget = keyof typeof targets
export const configTargets = Object.keys(targets) as readonly ConfigTarget[]

export type Rendered =
  | {
      readonly ok: true
      readonly text: string
      readonly mediaType: string
      /** Of visible ASCII, without a folder. */
      readonly fileName: string
    }
  | {
      readonly ok: false
      /** The end of a sentence that begins with the target. */
      readonly reason: string
      /** Targets that can. */
      readonly instead: readonly ConfigTarget[]
    }

/** @throws InvariantError for a model that no part of the service makes */
export function renderConfig(target: ConfigTarget, model: DeviceConfigModel): Rendered {
  checkModel(model)
  const { refusal, render, mediaType, extension } = targets[target] as Target
  const reason = refusal(model)
  if (reason !== null)
    return { ok: false, reason, instead: configTargets.filter((name) => targets[name].refusal(model) === null) }
  return { ok: true, text: render(model), mediaType, fileName: `culvert-${model.device.id}.${extension}` }
}
