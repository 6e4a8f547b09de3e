/**
 * A device's configuration for strongSwan's swanctl.conf. It works as it is pasted, once the marker in `secrets` is replaced by
 * `swanctl.secret` of the answer that issued the credential: the API cannot read a secret back.
 */

export const pskPlaceholder = '@CULVERT-PSK@'

export interface SwanctlInput {
  readonly deviceId: string
  readonly deviceName: string
  readonly deviceIdentity: string
  readonly concentratorAddresses: readonly string[]
  readonly concentratorIdentity: string
  readonly servicePrefix: string
}

/** Bytes in hexadecimal: no quoting, and a key that begins with 0x or 0s is not taken for an encoding. */
export function swanctlSecret(psk: string): string {
  return `0x${Buffer.from(psk, 'latin1').toString('hex')}`
}

export function swanctlConfig(input: SwanctlInput): string {
  const { deviceId, deviceName, deviceIdentity, concentratorAddresses, concentratorIdentity, servicePrefix } = input
  return `# Culvert device ${deviceId}: ${deviceName}
# Put this into /etc/swanctl/swanctl.conf (or conf.d/culvert.conf), replace ${pskPlaceholder} in "secrets" by the
# "swanctl.secret" that was shown when the credential was issued, then run: swanctl --load-all

connections {
  culvert {
    version = 2
    remote_addrs = ${concentratorAddresses.join(', ')}
    vips = 0.0.0.0
    proposals = aes256gcm16-prfsha384-x25519, aes256gcm16-prfsha256-x25519, aes256gcm16-prfsha256-ecp256, aes256-sha256-prfsha256-modp2048
    encap = yes
    fragmentation = yes
    keyingtries = 0
    dpd_delay = 30s
    rekey_time = 4h
    local {
      auth = psk
      id = ${deviceIdentity}
    }
    remote {
      auth = psk
      id = ${concentratorIdentity}
    }
    children {
      culvert {
        remote_ts = ${servicePrefix}
        esp_proposals = aes256gcm16-x25519, aes128gcm16-x25519, aes256gcm16, aes128gcm16, aes256-sha256
        start_action = start
        close_action = start
        dpd_action = restart
        rekey_time = 1h
      }
    }
  }
}

secrets {
  ike-culvert {
    id-device = ${deviceIdentity}
    id-concentrator = ${concentratorIdentity}
    secret = ${pskPlaceholder}
  }
}
`
}
