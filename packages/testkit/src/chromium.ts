/** A real Chromium (the headless shell of Debian) for tests of pages, to be driven by playwright-core. */
import fs from 'node:fs'
import path from 'node:path'
import type { Peer } from './debian-peer.ts'

export interface ChromiumLaunch {
  readonly executablePath: string
  readonly args: string[]
  readonly env: Record<string, string>
}

/**
 * @param peer what `peer('chromium')` gave
 * @param folder a scratch folder, which the browser has as its home
 */
export function chromiumLaunch(peer: Peer, folder: string): ChromiumLaunch {
  const root = peer.root ?? '/'
  // The program on PATH is a script with an absolute path in it.
  const executablePath = path.join(root, 'usr/lib/chromium/chromium-headless-shell')
  const libraries = (peer.env['LD_LIBRARY_PATH'] ?? '').split(path.delimiter).filter(Boolean)
  const fonts = path.join(folder, 'fonts.conf')
  fs.writeFileSync(
    fonts,
    `<?xml version="1.0"?><fontconfig><dir>${path.join(root, 'usr/share/fonts')}</dir><cachedir>${folder}</cachedir></fontconfig>`,
  )
  return {
    executablePath,
    args: ['--no-sandbox', '--disable-quic', '--disable-background-networking', '--disable-component-update'],
    env: {
      PATH: peer.env['PATH'] ?? '',
      LD_LIBRARY_PATH: [...libraries, ...libraries.map((library) => path.join(library, 'pulseaudio'))].join(
        path.delimiter,
      ),
      HOME: folder,
      FONTCONFIG_FILE: fonts,
    },
  }
}
