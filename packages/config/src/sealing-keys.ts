/**
 * Private keys that open what the API has sealed: one in a line, two while one replaces the other. They live in a file that only
 * the process's account can read.
 */
import { readFile, stat } from 'node:fs/promises'

const KEY_BYTES = 32

/**
 * @param setting that names the file
 * @returns keys in base64url
 * @throws an error with one clear sentence when the file is missing, readable by others or holds something else
 */
export async function readSealingKeys(file: string, setting: string): Promise<readonly [string, ...string[]]> {
  const status = await stat(file).catch(() => null)
  if (!status) throw new Error(`the sealing key file ${file} (${setting}) does not exist`)
  if ((status.mode & 0o077) !== 0)
    throw new Error(`the sealing key file ${file} is open to other accounts: chmod 600 ${file}`)
  const [first, ...others] = (await readFile(file, 'utf8')).trim().split(/\s+/)
  const keys: [string, ...string[]] = [first ?? '', ...others]
  if (keys.some((key) => Buffer.from(key, 'base64url').length !== KEY_BYTES))
    throw new Error(`the sealing key file ${file} does not hold a key`)
  return keys
}
