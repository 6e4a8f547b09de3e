/** The model itself, for software that brings its own template. Its schema is `DeviceConfiguration` of the API. */
import type { DeviceConfigModel } from '../model.ts'
import { secretText } from '../secret.ts'
import { suitesFor } from '../suites.ts'
import type { Target } from '../target.ts'
import { espSuites, ikeSuites } from './strongswan-suites.ts'

export const genericJson: Target = {
  mediaType: 'application/json; charset=utf-8',
  extension: 'json',
  refusal: () => null,
  render: (model) => `${JSON.stringify(configuration(model), null, 2)}\n`,
}

const asIs = (text: string): string => text

function configuration(model: DeviceConfigModel) {
  const { device, concentrator, proof, ppk, secrets, timing } = model
  return {
    device: { id: device.id, name: device.name, tags: device.tags },
    concentrator: { addresses: concentrator.addresses, ports: [500, 4500], identity: concentrator.identity },
    identity: { type: 'fqdn', value: model.identity },
    authentication: {
      kind: proof.kind,
      concentratorProves: proof.kind === 'psk' ? 'psk' : 'certificate',
      psk: proof.kind === 'psk' ? secretText(secrets, 'psk', asIs) : null,
      eap:
        proof.kind === 'eap'
          ? { method: 'mschapv2', userName: proof.userName, password: secretText(secrets, 'eap', asIs) }
          : null,
      ppk: ppk ? { identity: ppk.identity, required: ppk.isRequired, secret: secretText(secrets, 'ppk', asIs) } : null,
    },
    authorities: model.authorities,
    tiers: model.tiers,
    proposals: {
      ike: suitesFor(model.tiers, ikeSuites).flat(),
      esp: suitesFor(model.tiers, espSuites).flat(),
    },
    innerAddresses: model.asksFor,
    remotePrefixes: model.remotePrefixes,
    lanPrefixes: model.lanPrefixes,
    dpdDelaySec: timing.dpdDelaySec,
    ikeRekeySec: timing.ikeRekeySec,
    childRekeySec: timing.childRekeySec,
    mobike: model.mobike,
    udpEncapsulation: true,
    fragmentation: true,
  }
}
