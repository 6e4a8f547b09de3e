/**
 * The private key that opens credentials sealed by the API. It lives in a file only this process's account can read.
 */
import { readFile, stat } from 'node:fs/promises'

const KEY_BYTES = 32

/** @returns the key in base64url. @throws an error with one clear sentence when the file is missing, readable by others or not a key. */
export async function readSealingKey(file: string): Promise<string> {
  const status = await stat(file).catch(() => null)
  if (!status) throw new Error(`the sealing key file ${file} (SEALING_PRIVATE_KEY_FILE) does not exist`)
  if ((status.mode & 0o077) !== 0)
    throw new Error(`the sealing key file ${file} is open to other accounts: chmod 600 ${file}`)
  const key = (await readFile(file, 'utf8')).trim()
  if (Buffer.from(key, 'base64url').length !== KEY_BYTES)
    throw new Error(`the sealing key file ${file} does not hold a key`)
  return key
}
