/**
 * Bad weather on the internet of a lab: the bridge drops a share of the UDP datagrams that pass it, in both directions. ICMP and
 * what is no UDP pass, so that it is the tunnel that is tried.
 */
import { peer, type Lab } from '@culvert/testkit'

const TABLE = 'culvert_weather'

export interface Weather {
  /** @param share of the datagrams, 0 to 1 */
  drop(share: number): Promise<void>
  /** Datagrams dropped since the last `drop`. */
  droppedCount(): Promise<number>
  clear(): Promise<void>
}

export async function makeWeather({ internet }: Lab): Promise<Weather> {
  const { env } = await peer('nftables')
  const nft = async (script: string): Promise<string> =>
    (await internet.exec('nft', ['-f', '-'], { input: script, env })).stdout
  const empty = `table bridge ${TABLE}\ndelete table bridge ${TABLE}\n`
  return {
    async drop(share) {
      await nft(`${empty}table bridge ${TABLE} {
  chain forward {
    type filter hook forward priority 0;
    ether type ip ip protocol udp numgen random mod 1000 < ${Math.round(share * 1000)} counter drop
  }
}
`)
    },
    async droppedCount() {
      const { stdout } = await internet.exec('nft', ['list', 'table', 'bridge', TABLE], { env })
      return Number(/counter packets (\d+)/.exec(stdout)?.[1] ?? 0)
    },
    clear: async () => void (await nft(empty)),
  }
}
