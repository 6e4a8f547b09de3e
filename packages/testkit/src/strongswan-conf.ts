/** strongswan.conf of one peer: an explicit plugin list, its own vici socket and log, quick failure instead of minutes. */

const PLUGINS = [
  'test-vectors random nonce openssl aes sha1 sha2 md5 hmac kdf gcm ccm chapoly curve25519 cmac xcbc drbg',
  'x509 revocation constraints pubkey pkcs1 pkcs7 pkcs8 pkcs12 pem',
  'kernel-libipsec kernel-netlink socket-default vici updown counters',
  'eap-identity eap-md5 eap-mschapv2 eap-tls eap-aka',
].join(' ')

const SWANCTL_PLUGINS = 'random openssl sha1 sha2 pkcs1 pkcs8 pkcs12 pem x509 pubkey curve25519'

export interface CharonOptions {
  /** More plugins to load. */
  readonly plugins?: string
  /** More lines for the section `charon`, which win over the ones here, e.g. `fragment_size = 500`. */
  readonly charon?: string
  /** More lines for the section `charon.plugins`. */
  readonly pluginSettings?: string
  /** 0 to 4, default 1. */
  readonly logLevel?: number
  /** First retransmission of a request, in seconds (2.0). */
  readonly retransmitTimeoutSec?: number
  /** How often a request is sent again before the peer counts as gone (5). */
  readonly retransmitTries?: number
}

export function strongswanConf(folder: string, options: CharonOptions): string {
  const { plugins = '', charon = '', pluginSettings = '', logLevel = 1 } = options
  const { retransmitTimeoutSec = 2, retransmitTries = 5 } = options
  return `charon {
  load = ${PLUGINS} ${plugins}
  threads = 16
  install_routes = yes
  install_virtual_ip = yes
  make_before_break = yes
  retransmit_tries = ${retransmitTries}
  retransmit_timeout = ${retransmitTimeoutSec}
  retransmit_base = 1.6
  filelog {
    log {
      path = ${folder}/charon.log
      time_format = %H:%M:%S
      ike_name = yes
      flush_line = yes
      append = no
      default = ${logLevel}
    }
  }
  syslog { }
  plugins {
    vici { socket = unix://${folder}/vici }
    eap-tls { include_length = yes }
    ${pluginSettings}
  }
  ${charon}
}
swanctl { load = ${SWANCTL_PLUGINS} }
`
}
