import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'
import { expect, it } from 'vitest'

const script = `
  import { spawnSync } from 'node:child_process'
  import { endWith } from ${JSON.stringify(path.join(import.meta.dirname, 'last-words.mjs'))}
  spawnSync(process.execPath, ['-e', 'process.stdout.write("child ")'], { stdio: 'inherit' })
  process.stdout.write('x'.repeat(4_000_000))
  endWith(' last', 3)`

it('last words follow everything that was said before, into a pipe that a child made non-blocking too', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  const said = (await buffer(child.stdout)).toString()
  expect(said.length).toBe('child '.length + 4_000_000 + ' last'.length)
  expect(said.endsWith(' last')).toBe(true)
  expect(await exit).toEqual([3, null])
})
