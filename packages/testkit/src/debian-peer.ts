/**
 * Programs that tests talk to or measure with: from PATH when the system has them, else Debian's packages unpacked into
 * .cache/debian (nothing is installed). Once unpacked they are used without network.
 */
import { unpackDebian } from '@culvert/services'
import fs from 'node:fs'
import path from 'node:path'

interface PeerPackages {
  /** The peer is there when all of these are on PATH. */
  readonly programs: readonly string[]
  /** The first one gives the unpacked tree its version. */
  readonly packages: readonly string[]
}

const PEERS = {
  strongswan: {
    programs: ['charon-systemd', 'swanctl'],
    packages: [
      'charon-systemd',
      'strongswan-swanctl',
      'strongswan-libcharon',
      'libstrongswan',
      'libstrongswan-standard-plugins',
      'libstrongswan-extra-plugins',
      'libcharon-extra-plugins',
      'libcharon-extauth-plugins',
    ],
  },
  'strongswan-pki': {
    programs: ['pki'],
    packages: ['strongswan-pki', 'libstrongswan', 'libstrongswan-standard-plugins', 'libstrongswan-extra-plugins'],
  },
  libreswan: { programs: ['pluto', 'ipsec'], packages: ['libreswan', 'libnss3-tools', 'libunbound8', 'libldns3'] },
  'ike-scan': { programs: ['ike-scan'], packages: ['ike-scan'] },
  eapoltest: { programs: ['eapol_test'], packages: ['eapoltest', 'libpcsclite1', 'libdbus-1-3'] },
  nftables: { programs: ['nft'], packages: ['nftables', 'libnftables1', 'libnftnl11'] },
  iperf3: { programs: ['iperf3'], packages: ['iperf3', 'libiperf0', 'libsctp1'] },
  redis: { programs: ['redis-server'], packages: ['redis-tools', 'libjemalloc2', 'liblzf1'] },
  iproute2: { programs: ['ip'], packages: ['iproute2'] },
  ping: { programs: ['ping'], packages: ['iputils-ping'] },
  tcpdump: { programs: ['tcpdump'], packages: ['tcpdump', 'libpcap0.8'] },
  tshark: { programs: ['tshark'], packages: ['tshark'] },
  curl: { programs: ['curl'], packages: ['curl', 'libcurl4'] },
  scapy: {
    programs: ['scapy'],
    packages: ['python3-scapy', 'python3-cryptography', 'python3-cffi-backend', 'python3-minimal'],
  },
  openssl: { programs: ['openssl'], packages: ['openssl'] },
  chromium: {
    programs: ['chromium-headless-shell'],
    packages: ['chromium-headless-shell', 'chromium-common', 'fonts-dejavu-core'],
  },
  ssh: { programs: ['ssh', 'ssh-keygen'], packages: ['openssh-client'] },
} as const satisfies Record<string, PeerPackages>

export type PeerName = keyof typeof PEERS

export const peerNames = Object.keys(PEERS) as readonly PeerName[]

/** Where a peer's programs are. */
export interface Peer {
  /** The unpacked tree, or null when the system has the programs installed. */
  readonly root: string | null
  /** Environment in which the programs and their libraries are found by name. */
  readonly env: NodeJS.ProcessEnv
}

export type PeerSearch =
  | { readonly peer: Peer; readonly reason: null }
  | { readonly peer: null; readonly reason: string }

/**
 * Looks for a peer, unpacking it when it is neither installed nor cached.
 * @returns the peer, or the reason in one sentence why there is none
 * @throws that reason with CI=true: there a missing peer is an error, not a skipped test
 */
export async function findPeer(name: PeerName): Promise<PeerSearch> {
  try {
    return { peer: await peer(name), reason: null }
  } catch (error) {
    const reason = `${name}: ${error instanceof Error ? error.message : String(error)}`
    if (process.env['CI']) throw new Error(reason, { cause: error })
    return { peer: null, reason }
  }
}

/** The peer, or an error of one sentence. */
export async function peer(name: PeerName): Promise<Peer> {
  const { programs, packages } = PEERS[name]
  const PATH = [process.env['PATH'] ?? '', '/usr/sbin', '/sbin'].join(path.delimiter)
  if (programs.every((program) => isOn(PATH, program))) return { root: null, env: { ...process.env, PATH } }
  return unpackDebian(name, packages)
}

function isOn(searchPath: string, program: string): boolean {
  return searchPath.split(path.delimiter).some((folder) => folder && fs.existsSync(path.join(folder, program)))
}
