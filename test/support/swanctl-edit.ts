/** Changes to a swanctl.conf that the API returned. */

/** @param ike proposal as swanctl.conf writes it. */
export function withProposals(conf: string, ike: string, esp: string): string {
  return conf
    .replace(/^( *)proposals *=.*$/m, `$1proposals = ${ike}`)
    .replace(/^( *)esp_proposals *=.*$/m, `$1esp_proposals = ${esp}`)
}

/** Nothing starts by itself, and one failure is the answer. */
export function passive(conf: string): string {
  return conf
    .replace(/(start|close)_action *= *\S+/g, '$1_action = none')
    .replace(/dpd_action *= *\S+/, 'dpd_action = clear')
    .replace(/keyingtries *= *\S+/, 'keyingtries = 1')
}
