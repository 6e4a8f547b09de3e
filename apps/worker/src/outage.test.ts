import { expect, it } from 'vitest'
import type { Logger } from '@culvert/observability'
import { Outage } from './outage.ts'

it('tells once that the database is away, once that it is back, and every other error', () => {
  const told: string[] = []
  const note =
    (level: string) =>
    (_fields: object, text: string): void =>
      void told.push(`${level}: ${text}`)
  const logger = { info: note('info'), warn: note('warn'), error: note('error') } as unknown as Logger
  const outage = new Outage(logger, { waits: 'rules wait', failed: 'rules cannot be run' })
  const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })

  outage.over()
  outage.tell(away)
  outage.tell(away)
  outage.tell(new Error('a bug'))
  outage.tell(new Error('a bug'))
  outage.tell(away)
  outage.over()
  outage.over()
  outage.tell(away)

  expect(told).toEqual([
    'warn: the database is away; rules wait',
    'error: rules cannot be run',
    'error: rules cannot be run',
    'info: the database is back',
    'warn: the database is away; rules wait',
  ])
})
