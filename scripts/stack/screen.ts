/** What `npm start` prints: a line per step while it works, one screen when it is ready, one sentence when it fails. */

const begin = performance.now()

/** One line with the time since the start. */
export function progress(text: string): void {
  const seconds = ((performance.now() - begin) / 1000).toFixed(1)
  process.stdout.write(`${seconds.padStart(5)} s  ${text}\n`)
}

export function sentence(text: string): void {
  process.stderr.write(`\n${text}\n`)
}

export interface ReadyScreen {
  readonly apiUrl: string
  readonly key: string
  readonly keyFile: string
  readonly logs: string
  /** Where the embedded database keeps its data, when that is not in the data folder. */
  readonly database: string | null
  /** The tunnel to the demo device, or the sentence why there is none. */
  readonly demo: DemoReady | string
}

export interface DemoReady {
  readonly deviceName: string
  readonly deviceId: string
  readonly innerAddress: string
  /** Where the device's web page can be reached through the tunnel. */
  readonly url: string
}

export function showReady({ apiUrl, key, keyFile, logs, database, demo }: ReadyScreen): void {
  const rows = [
    ['API', `${apiUrl}/v1`],
    ['Documentation', `${apiUrl}/docs`],
    ['API key', `${key}   (also in ${keyFile})`],
    ['Logs', logs],
  ]
  if (database) rows.push(['Database', database])
  if (typeof demo !== 'string')
    rows.push(['Device', `${demo.deviceName}, ${demo.deviceId}, attached as ${demo.innerAddress}`])
  const table = rows.map(([name = '', value]) => `  ${name.padEnd(15)}${value}`).join('\n')
  const reach =
    typeof demo === 'string' ? demo : `Reach the web page of the device through its tunnel:\n\ncurl ${demo.url}\n`
  process.stdout.write(`\nCulvert is running.\n\n${table}\n\n${reach}\nCtrl-C stops everything and keeps the data.\n`)
}
