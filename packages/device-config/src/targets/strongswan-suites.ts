/** Proposals in strongSwan's words. The first of each tier is what is used where only one may be written. */
import type { SuiteTable } from '../suites.ts'

export const ikeSuites: SuiteTable<readonly string[]> = {
  modern: ['aes256gcm16-prfsha384-x25519', 'aes256gcm16-prfsha256-x25519', 'aes256gcm16-prfsha256-ecp256'],
  standard: ['aes256-sha256-prfsha256-modp2048'],
  compat: ['aes256-sha1-prfsha1-modp1536'],
}

export const espSuites: SuiteTable<readonly string[]> = {
  modern: ['aes256gcm16-x25519', 'aes128gcm16-x25519', 'aes256gcm16', 'aes128gcm16'],
  standard: ['aes256-sha256'],
  compat: ['aes256-sha1'],
}
