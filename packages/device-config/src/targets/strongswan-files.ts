/** Where strongSwan's swanctl looks for what a configuration names, under /etc/swanctl. */
export const files = {
  ca: 'culvert-ca.pem',
  certificate: 'culvert-device.pem',
  key: 'culvert-device.key',
} as const

/** What to put there, as sentences. */
export function fileNotes(kind: 'psk' | 'certificate' | 'eap'): string[] {
  if (kind === 'psk') return []
  const ca = `Put what GET /v1/ca answers into /etc/swanctl/x509ca/${files.ca}.`
  if (kind === 'eap') return [ca]
  return [
    ca,
    `Put the certificate of the credential ("certificate.chain") into /etc/swanctl/x509/${files.certificate},`,
    `and the key that its request was made with into /etc/swanctl/private/${files.key}.`,
  ]
}
