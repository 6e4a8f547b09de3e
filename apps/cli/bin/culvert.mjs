#!/usr/bin/env node
/** `culvert`, built or from a checkout: there `npx culvert` runs the sources, on the Node that came with the dependencies. */
import fs from 'node:fs'
import { fileURLToPath } from 'node:url'

const checkout = new URL('../../../scripts/bootstrap.mjs', import.meta.url)
if (fs.existsSync(fileURLToPath(checkout))) {
  const { runTypeScript } = await import(checkout.href)
  await runTypeScript('apps/cli/src/main.ts', process.argv.slice(2), process.cwd())
} else await import('../dist/main.js')
