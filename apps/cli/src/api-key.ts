/** The API key: out of a file that nobody else reads, or of the environment. */
import { open } from 'node:fs/promises'
import { UsageError } from './usage-error.ts'

/** @throws UsageError when there is none, or others may read it */
export async function readApiKey(
  file: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const key = file === undefined ? env['CULVERT_API_KEY'] : await readPrivate(file)
  if (key !== undefined && /^[\x21-\x7e]{1,4096}$/.test(key.trim())) return key.trim()
  throw new UsageError('Set CULVERT_API_KEY, or name a file with the API key by --api-key-file.')
}

async function readPrivate(file: string): Promise<string> {
  const handle = await open(file).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${file} cannot be read (${error.code ?? error.message}).`)
  })
  try {
    const { mode } = await handle.stat()
    if ((mode & 0o077) !== 0) throw new UsageError(`${file} may be read by others: chmod 600 ${file}`)
    return await handle.readFile('utf8')
  } finally {
    await handle.close()
  }
}
