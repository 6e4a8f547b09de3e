/** What a device proves itself with, from the files its settings name. */
import { createPrivateKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { signingKey } from '@culvert/crypto'
import type { InitiatorConfig, InitiatorProof } from '@culvert/ikev2'
import { fromPem, trustAnchors, type TrustAnchors } from '@culvert/pki'

/** PPK_ID_FIXED (RFC 8784 5.1). */
const PPK_ID_FIXED = 2

/** @throws an error of one sentence */
export async function readSharedKey(file: string): Promise<InitiatorProof> {
  return { kind: 'psk', secret: await readSecret(file) }
}

/**
 * @param files PEM: the chain, the device's own certificate first, and its private key
 * @throws an error of one sentence
 */
export async function readCertificate(files: { chain: string; key: string }): Promise<InitiatorProof> {
  const certificates = fromPem(await readFile(files.chain, 'utf8'), 'CERTIFICATE')
  if (!certificates?.length) throw new Error(`${files.chain} does not hold certificates in PEM.`)
  const pkcs8 = createPrivateKey(await readFile(files.key)).export({ format: 'der', type: 'pkcs8' })
  const key = signingKey(new Uint8Array(pkcs8))
  pkcs8.fill(0)
  if (key === null) throw new Error(`${files.key} does not hold a key that signs.`)
  return { kind: 'signature', key, certificates }
}

/** @param name PPK_ID without its type octet */
export async function readPpk(
  name: string,
  file: string,
  isRequired: boolean,
): Promise<NonNullable<InitiatorConfig['ppk']>> {
  const id = Uint8Array.of(PPK_ID_FIXED, ...new TextEncoder().encode(name))
  return { id, secret: await readSecret(file), isRequired }
}

/** @throws an error of one sentence */
export async function readAnchors(file: string): Promise<TrustAnchors> {
  const anchors = trustAnchors(fromPem(await readFile(file, 'utf8'), 'CERTIFICATE') ?? [])
  if (!anchors.ok || anchors.value.all.length === 0) throw new Error(`${file} does not hold authorities in PEM.`)
  return anchors.value
}

async function readSecret(file: string): Promise<Uint8Array> {
  return new TextEncoder().encode((await readFile(file, 'utf8')).trim())
}
