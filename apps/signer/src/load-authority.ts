/**
 * The authority's file: private key (PKCS#8) and certificate in PEM, readable by this account alone.
 *
 * Invariant: no new authority is made while devices rely on the one that the database knows.
 */
import { forgetAuthorities, isAuthorityNeeded, type Pool } from '@culvert/db'
import { fromPem, makeRoot, openAuthority, readCertificate, toPem, type Authority } from '@culvert/pki'
import { createHash, createPrivateKey } from 'node:crypto'
import { link, open, readFile, rm, stat } from 'node:fs/promises'

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

const ROOT_NAME = 'Culvert Certificate Authority'
const ROOT_LIFETIME_MS = 10 * 365 * 86_400_000

/** @throws AuthorityError in one sentence */
export async function loadAuthority(file: string, pool: Pool): Promise<LoadedAuthority> {
  const known = await readOrNull(file)
  if (known !== null) return opened(file, known, false)
  if (await isAuthorityNeeded(pool)) {
    throw new AuthorityError(
      `The key of the certificate authority is gone: put ${file} back. To begin anew, revoke all credentials of kind certificate and eap first.`,
    )
  }
  await forgetAuthorities(pool)
  return opened(file, await make(file), true)
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

/** Written beside its place and linked into it, whole or not at all; whoever came first wins. @returns what the file holds */
async function make(file: string): Promise<string> {
  const root = await makeRoot({ name: ROOT_NAME, atMs: Date.now(), lifetimeMs: ROOT_LIFETIME_MS })
  if (!root.ok) throw new AuthorityError(`No certificate authority could be made (${root.fault.code}).`)
  const { certificate, privateKey } = root.value
  const key = createPrivateKey({ key: Buffer.from(privateKey), format: 'der', type: 'pkcs8' })
  const text = key.export({ format: 'pem', type: 'pkcs8' }).toString() + toPem(certificate, 'CERTIFICATE')
  privateKey.fill(0)
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
    await link(part, file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EEXIST') throw new AuthorityError(`${file} cannot be written (${code ?? 'unknown'}).`)
  } finally {
    await rm(part, { force: true })
  }
  return readFile(file, 'utf8')
}

async function opened(file: string, text: string, isNew: boolean): Promise<LoadedAuthority> {
  const [certificate] = fromPem(text, 'CERTIFICATE') ?? []
  const privateKey = privateKeyOf(text)
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
    isNew,
  }
}

function privateKeyOf(text: string): Uint8Array | null {
  try {
    return new Uint8Array(createPrivateKey(text).export({ format: 'der', type: 'pkcs8' }))
  } catch {
    return null
  }
}
