/**
 * A profile for strongSwan's app for Android. The app never takes a shared key, and asks the person for a certificate that is
 * on the phone already.
 */
import { oneAddress } from '../addresses.ts'
import { oneLine } from '../comment.ts'
import type { DeviceConfigModel } from '../model.ts'
import { secretText } from '../secret.ts'
import { suitesFor, type SuiteTable } from '../suites.ts'
import { firstRefusal, noTier, requiredPpk, type Target } from '../target.ts'

const suites: SuiteTable<{ readonly ike: string; readonly esp: string }> = {
  modern: { ike: 'aes256gcm16-prfsha384-x25519', esp: 'aes256gcm16' },
  standard: { ike: 'aes256-sha256-prfsha256-modp2048', esp: 'aes256-sha256' },
}

export const sswan: Target = {
  mediaType: 'application/vnd.strongswan.profile',
  extension: 'sswan',
  refusal: (model) =>
    firstRefusal(
      model.proof.kind === 'psk' && 'the app refuses shared keys',
      suitesFor(model.tiers, suites).length === 0 && noTier(model),
      requiredPpk(model),
    ),
  render,
}

function render(model: DeviceConfigModel): string {
  const { device, concentrator, identity, proof, authorities } = model
  const suite = suitesFor(model.tiers, suites)[0]
  const authority = authorities[0]
  const profile = {
    uuid: model.uuid,
    name: oneLine(`Culvert ${device.name}`),
    type: proof.kind === 'certificate' ? 'ikev2-cert' : 'ikev2-eap',
    remote: {
      addr: oneAddress(concentrator.addresses),
      id: concentrator.identity,
      ...(authority !== undefined && { cert: authority.replace(/-----[A-Z ]+-----|\s/g, '') }),
    },
    local: {
      id: identity,
      ...(proof.kind === 'eap' && {
        eap_id: proof.userName,
        shared_secret: secretText(model.secrets, 'eap', (text) => text),
      }),
    },
    ...(suite && { 'ike-proposal': suite.ike, 'esp-proposal': suite.esp }),
    'split-tunneling': { subnets: model.remotePrefixes },
    'nat-keepalive': 20,
  }
  return `${JSON.stringify(profile, null, 2)}\n`
}
