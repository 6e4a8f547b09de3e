/**
 * A customer who follows the feed by cursor while everything dies around it: long-polls that break are made again with the cursor
 * of the last page. What it has in the end must be the whole feed, each event once and in order.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { type Pool } from '@culvert/db'
import { waitFor } from '@culvert/testkit'
import { type Api } from '../support/installation.ts'
import { allEvents } from './archive.ts'

interface Page {
  readonly data: readonly { readonly id: string }[]
  readonly nextCursor: string
}

export interface Follower {
  /** The last event that it has. */
  last(): string | undefined
  /** Waits until it has read as far as the feed goes. @returns what it has too much, too little or in another order */
  complaints(pool: Pool, organizationId: string): Promise<string[]>
  stop(): Promise<void>
}

export function followFeed(api: Api): Follower {
  const ids: string[] = []
  let cursor: string | null = null
  let isOver = false
  const follow = async (): Promise<void> => {
    while (!isOver) {
      const after = cursor === null ? '' : `&after=${cursor}`
      const page = await api<Page>('GET', `/v1/events?limit=20&wait=2${after}`).catch(() => null)
      if (page?.status === 200) {
        ids.push(...page.body.data.map(({ id }) => id))
        cursor = page.body.nextCursor
      } else await pause(50) // nobody answers
    }
  }
  const following = follow()
  return {
    last: () => ids.at(-1),
    async complaints(pool, organizationId) {
      const { rows } = await pool.query<{ id: string }>(
        `SELECT id FROM ${allEvents} WHERE organization_id = $1 AND position IS NOT NULL ORDER BY position`,
        [organizationId],
      )
      const whole = rows.map(({ id }) => id)
      await waitFor(() => ids.includes(whole.at(-1) ?? ''), { timeoutMs: 60_000, message: 'the feed to be read' })
      const wrong = whole.findIndex((id, index) => ids[index] !== id)
      if (wrong < 0) return []
      return [`the feed as it was followed differs at ${wrong}: ${ids[wrong]} and not ${whole[wrong]}`]
    },
    async stop() {
      isOver = true
      await following
    },
  }
}
