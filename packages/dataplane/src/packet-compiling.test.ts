import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { compileForPackets, PACKET_COMPILING_FLAGS } from './packet-compiling.ts'

it('sets flags that this engine has: others would be passed over in silence', () => {
  const known = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' })
  for (const flag of PACKET_COMPILING_FLAGS) expect(known).toContain(`  ${flag.split('=')[0]!} (`)
  expect(compileForPackets).not.toThrow()
})
