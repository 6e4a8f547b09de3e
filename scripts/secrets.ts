/**
 * Makes and replaces the sealing key (docs/guides/operating.md). `npm run secrets -- new-pair FILE` writes a private key into a new
 * file and tells the public one, SEALING_PUBLIC_KEY; `npm run secrets -- new-key FILE` adds a new private key to the file of the
 * concentrators, or of the workers, and tells the public one; `npm run secrets -- rotate FILE PUBLIC_KEY` seals secrets of devices in
 * DATABASE_URL anew to it, `npm run secrets -- rotate-webhooks FILE PUBLIC_KEY` the keys that webhooks are signed with.
 */
import {
  createKeyRing,
  createSecretSealer,
  generateSealingKeyPair,
  openPool,
  resealSecrets,
  resealWebhookKeys,
  sealingKeyId,
} from '@culvert/db'
import fs from 'node:fs'

/** What is sealed anew, by whom. Either has a pair of keys of its own. */
const rotations = {
  rotate: { reseal: resealSecrets, role: 'culvert_resealer' },
  'rotate-webhooks': { reseal: resealWebhookKeys, role: 'culvert_worker' },
} as const
const isRotation = (name = ''): name is keyof typeof rotations => Object.hasOwn(rotations, name)

const [command, file, publicKey] = process.argv.slice(2)

try {
  if (command === 'new-pair' && file) await makePair(file)
  else if (command === 'new-key' && file) await addKey(file)
  else if (isRotation(command) && file && publicKey)
    process.exitCode = (await rotate(rotations[command], file, publicKey)) ? 0 : 1
  else
    throw new Error(
      'Usage: npm run secrets -- new-pair FILE | new-key FILE | (rotate | rotate-webhooks) FILE PUBLIC_KEY',
    )
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 2
}

/** For a new installation: the file is not there yet. */
async function makePair(keyFile: string): Promise<void> {
  const pair = await generateSealingKeyPair()
  fs.writeFileSync(keyFile, `${pair.privateKey}\n`, { mode: 0o600, flag: 'wx' })
  process.stdout.write(`${pair.publicKey}\n`)
}

/** Behind the others: it opens from now on, and becomes the first when the others are taken out. */
async function addKey(keyFile: string): Promise<void> {
  const known = fs.readFileSync(keyFile, 'utf8').trim()
  const pair = await generateSealingKeyPair()
  fs.writeFileSync(`${keyFile}.new`, `${known}\n${pair.privateKey}\n`, { mode: 0o600, flag: 'wx' })
  fs.renameSync(`${keyFile}.new`, keyFile)
  process.stdout.write(`${pair.publicKey}\n`)
}

/** @returns whether nothing is left that is sealed to another key */
async function rotate(
  { reseal, role }: (typeof rotations)[keyof typeof rotations],
  keyFile: string,
  key: string,
): Promise<boolean> {
  const url = process.env['DATABASE_URL']
  if (!url) throw new Error('DATABASE_URL is not set.')
  const ring = createKeyRing(fs.readFileSync(keyFile, 'utf8').trim().split(/\s+/))
  const keyId = sealingKeyId(key)
  if (!ring.keyIds.includes(keyId))
    throw new Error(`${keyFile} does not hold the private key of ${key}: nothing could open the secrets.`)
  const pool = openPool(url, { max: 1, applicationName: 'culvert-reseal', role })
  try {
    const { resealed, unreadable } = await reseal(pool, { ring, seal: createSecretSealer(key), keyId })
    process.stdout.write(
      `${resealed} secrets are sealed anew, ${unreadable} could not be opened and stay as they are.\n`,
    )
    return unreadable === 0
  } finally {
    await pool.end()
  }
}
