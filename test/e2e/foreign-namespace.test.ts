import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { requireUnused } from '../../scripts/stack/demo-network.ts'
import { waitFor } from '@culvert/testkit'

const name = `cv-foreign-${process.pid}`

beforeAll(() => {
  execFileSync('ip', ['netns', 'add', name])
})
afterAll(() => {
  execFileSync('ip', ['netns', 'delete', name])
})

test('the launcher leaves a namespace alone in which somebody else lives, and says who', async () => {
  await requireUnused([name, 'cv-no-such-namespace'], 0)
  const stranger = spawn('ip', ['netns', 'exec', name, 'sleep', '1000'])
  await waitFor(() => execFileSync('ip', ['netns', 'pids', name], { encoding: 'utf8' }).trim() === String(stranger.pid))
  await expect(requireUnused([name], 100)).rejects.toThrow(`${name} is in use (process ${stranger.pid})`)
  expect(stranger.exitCode ?? stranger.signalCode).toBeNull()
  const gone = once(stranger, 'exit')
  const unused = requireUnused([name], 10_000)
  stranger.kill('SIGKILL')
  await gone
  await unused
})
