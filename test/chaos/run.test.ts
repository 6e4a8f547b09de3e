import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'
import { expect, it } from 'vitest'

it.each(['', '--help', '--rounds many', '--rounds 1 --seed 1.5'])(
  'chaos without a number of rounds says how it is called: %j',
  async (words) => {
    const child = run(words.split(' ').filter(Boolean))
    const exit = once(child, 'exit')
    expect((await buffer(child.stderr!)).toString()).toMatch(/^Usage: npm run chaos -- --rounds N/)
    expect(await exit).toEqual([2, null])
  },
)

it('chaos that nobody reads on opens no world and ends by itself', async () => {
  const child = run(['--rounds', '1000', '--seed', '1'])
  const exit = once(child, 'exit')
  child.stdout!.destroy()
  expect((await buffer(child.stderr!)).toString()).toBe('Ending after this round.\n')
  expect(await exit).toEqual([1, null])
})

function run(words: readonly string[]): ChildProcess {
  const file = path.join(import.meta.dirname, 'run.ts')
  return spawn(process.execPath, ['--conditions=source', file, ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
}
