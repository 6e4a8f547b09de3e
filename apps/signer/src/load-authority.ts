/**
 * The authority's file: private key (PKCS#8) and certificate in PEM, readable by this account alone; the key may be sealed with a
 * passphrase that lies elsewhere.
 *
 * Invariant: no new authority is made while devices rely on the one that the database knows, except beside that one.
 */
import { forgetAuthorities, isAuthorityNeeded, listAuthorities, type Pool } from '@culvert/db'
import { fromPem, makeRoot, openAuthority, readCertificate, toPem, type Authority } from '@culvert/pki'
import { createHash, createPrivateKey, type KeyObject } from 'node:crypto'
import { link, open, readFile, rename, rm, stat } from 'node:fs/promises'

export interface LoadedAuthority {
  readonly authority: Authority
  /** SHA-256 of the certificate, hexadecimal. */
  readonly id: string
  /** PEM. */
  readonly certificate: string
  readonly notAfterMs: number
  /** Made now. */
  readonly isNew: boolean
}

/** A start that cannot go on; its message is for the person who starts. */
export class AuthorityError extends Error {}

/** PKCS#8 with a passphrase (RFC 7468 11). */
const SEALED = '-----BEGIN ENCRYPTED PRIVATE KEY-----'
const LEAST_PASSPHRASE_CHARS = 32
const ROOT_NAME = 'Culvert Certificate Authority'
const ROOT_LIFETIME_MS = 10 * 365 * 86_400_000

export interface LoadOptions {
  /** Seals the private key in the file; a file that is not sealed is sealed now. Null: whoever reads the file has the key. */
  readonly passphrase?: string | null
  /** The authority whose place a new one takes: devices that rely on it go on. Without it none is made while there are such. */
  readonly former?: LoadedAuthority | null
}

/** @throws AuthorityError in one sentence */
export async function loadAuthority(
  file: string,
  pool: Pool,
  { passphrase = null, former = null }: LoadOptions = {},
): Promise<LoadedAuthority> {
  const known = await readOrNull(file)
  if (known !== null) {
    const loaded = await opened(file, known, passphrase)
    if (passphrase !== null && !known.includes(SEALED)) await write(file, reseal(known, passphrase), rename)
    return { ...loaded, isNew: false }
  }
  const isFormer = former !== null && (await listAuthorities(pool)).some(({ id }) => id === former.id)
  if (!isFormer && (await isAuthorityNeeded(pool))) {
    throw new AuthorityError(
      `The key of the certificate authority is gone: put ${file} back. To begin anew, revoke all credentials of kind certificate and eap first.`,
    )
  }
  if (!isFormer) await forgetAuthorities(pool)
  return { ...(await opened(file, await make(file, passphrase), passphrase)), isNew: true }
}

/** Of an authority whose place another one takes. @throws AuthorityError in one sentence, also when it is not there */
export async function loadFormer(file: string, pool: Pool, passphrase: string | null): Promise<LoadedAuthority> {
  if ((await readOrNull(file)) === null) throw new AuthorityError(`${file}, with the former authority, is not there.`)
  return loadAuthority(file, pool, { passphrase })
}

/** @throws AuthorityError when it is missing, short, or others can read it */
export async function readPassphrase(file: string): Promise<string> {
  const passphrase = (await readOrNull(file))?.trim()
  if (passphrase === undefined) throw new AuthorityError(`${file}, with the passphrase of the authority, is not there.`)
  if (passphrase.length < LEAST_PASSPHRASE_CHARS)
    throw new AuthorityError(
      `${file} holds less than ${LEAST_PASSPHRASE_CHARS} characters: openssl rand -base64 32 makes some.`,
    )
  return passphrase
}

async function readOrNull(file: string): Promise<string | null> {
  try {
    const { mode } = await stat(file)
    if ((mode & 0o077) !== 0)
      throw new AuthorityError(`${file} can be read by other accounts: make it mode 600 and consider its key known.`)
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    if (error instanceof AuthorityError) throw error
    throw new AuthorityError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}).`)
  }
}

/** Whoever came first wins. @returns what the file holds */
async function make(file: string, passphrase: string | null): Promise<string> {
  const root = await makeRoot({ name: ROOT_NAME, atMs: Date.now(), lifetimeMs: ROOT_LIFETIME_MS })
  if (!root.ok) throw new AuthorityError(`No certificate authority could be made (${root.fault.code}).`)
  const { certificate, privateKey } = root.value
  const key = createPrivateKey({ key: Buffer.from(privateKey), format: 'der', type: 'pkcs8' })
  privateKey.fill(0)
  await write(file, pemOf(key, passphrase) + toPem(certificate, 'CERTIFICATE'), link)
  return readFile(file, 'utf8')
}

function pemOf(key: KeyObject, passphrase: string | null): string {
  const seal = passphrase === null ? {} : { cipher: 'aes-256-cbc', passphrase }
  return key.export({ format: 'pem', type: 'pkcs8', ...seal }).toString()
}

function reseal(text: string, passphrase: string): string {
  const certificates = (fromPem(text, 'CERTIFICATE') ?? []).map((certificate) => toPem(certificate, 'CERTIFICATE'))
  return pemOf(createPrivateKey(text), passphrase) + certificates.join('')
}

/** Written beside its place and then put there, whole or not at all. @param put `link` leaves a file alone that is there */
async function write(file: string, text: string, put: typeof link | typeof rename): Promise<void> {
  const part = `${file}.${process.pid}.part`
  await rm(part, { force: true })
  try {
    const handle = await open(part, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await put(part, file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EEXIST') throw new AuthorityError(`${file} cannot be written (${code ?? 'unknown'}).`)
  } finally {
    await rm(part, { force: true })
  }
}

async function opened(file: string, text: string, passphrase: string | null): Promise<Omit<LoadedAuthority, 'isNew'>> {
  const isSealed = text.includes(SEALED)
  if (isSealed && passphrase === null)
    throw new AuthorityError(`${file} is sealed: SIGNER_PASSPHRASE_FILE names the file with its passphrase.`)
  const [certificate] = fromPem(text, 'CERTIFICATE') ?? []
  const privateKey = privateKeyOf(text, passphrase)
  if (!privateKey && isSealed) throw new AuthorityError(`${file} does not open with this passphrase.`)
  if (!certificate || !privateKey)
    throw new AuthorityError(`${file} does not hold a private key and a certificate in PEM.`)
  const read = readCertificate(certificate)
  const authority = await openAuthority({ certificate, privateKey })
  privateKey.fill(0)
  if (!authority.ok) throw new AuthorityError(`${file} does not hold an authority (${authority.fault.code}).`)
  if (!read.ok) throw new AuthorityError(`${file} does not hold an authority (${read.fault.code}).`)
  return {
    authority: authority.value,
    id: createHash('sha256').update(certificate).digest('hex'),
    certificate: toPem(certificate, 'CERTIFICATE'),
    notAfterMs: read.value.notAfterMs,
  }
}

function privateKeyOf(text: string, passphrase: string | null): Uint8Array | null {
  try {
    const key = createPrivateKey({ key: text, format: 'pem', ...(passphrase !== null && { passphrase }) })
    return new Uint8Array(key.export({ format: 'der', type: 'pkcs8' }))
  } catch {
    return null
  }
}
