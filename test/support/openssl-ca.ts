/**
 * A certificate authority made with the OpenSSL program: keys and certificates that our own code had no hand in.
 */
import fs from 'node:fs'
import path from 'node:path'
import { peer } from '@culvert/testkit'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)
const DAYS = '3650'

/** Arguments of `openssl genpkey` for each kind of key. */
const KEYS = {
  'ecdsa-p256': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  'ecdsa-p384': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  'ecdsa-p521': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521'],
  ed25519: ['-algorithm', 'ED25519'],
  'rsa-2048': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  'rsa-3072': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:3072'],
  'rsa-4096': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:4096'],
} as const

export type OpensslKey = keyof typeof KEYS

export interface IssuedCertificate {
  /** PEM file of the certificate. */
  readonly certificate: string
  /** PEM file of the private key, PKCS #8. */
  readonly key: string
}

export interface OpensslCa extends IssuedCertificate {
  /** @param name becomes CN and the dNSName of the certificate. */
  issue(name: string, kind: OpensslKey): Promise<IssuedCertificate>
  /** With all that were revoked so far. @returns the list in DER, good for a day; its number rises */
  revoke(...issued: readonly IssuedCertificate[]): Promise<Buffer>
  /** PKCS #12 without a password: key, certificate and this CA. */
  pkcs12(issued: IssuedCertificate, name: string): Promise<Buffer>
}

/** Files go into `folder`, which the caller removes. */
export async function createOpensslCa(folder: string, kind: OpensslKey = 'ecdsa-p256'): Promise<OpensslCa> {
  const { env } = await peer('openssl')
  const openssl = (...args: string[]): Promise<unknown> => run('openssl', args, { env, timeout: 30_000 })
  const place = (file: string): string => path.join(folder, file)
  const makeKey = async (file: string, of: OpensslKey): Promise<string> => {
    await openssl('genpkey', ...KEYS[of], '-out', place(file))
    return place(file)
  }
  const caKey = await makeKey('ca.key', kind)
  const caCertificate = place('ca.pem')
  const isCa = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign']
  const extensions = isCa.flatMap((line) => ['-addext', line])
  const subject = ['-subj', '/O=Independent/CN=Independent CA', '-days', DAYS]
  await openssl('req', '-x509', '-new', '-key', caKey, '-out', caCertificate, ...subject, ...extensions)

  return {
    certificate: caCertificate,
    key: caKey,
    async issue(name, of) {
      const key = await makeKey(`${name}.key`, of)
      const request = place(`${name}.csr`)
      const certificate = place(`${name}.pem`)
      const purpose = place(`${name}.ext`)
      const usage = 'keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth,clientAuth'
      fs.writeFileSync(purpose, `basicConstraints=CA:FALSE\nsubjectAltName=DNS:${name}\n${usage}\n`)
      await openssl('req', '-new', '-key', key, '-subj', `/O=Independent/CN=${name}`, '-out', request)
      const signing = ['-CA', caCertificate, '-CAkey', caKey, '-CAcreateserial', '-days', DAYS, '-extfile', purpose]
      await openssl('x509', '-req', '-in', request, '-out', certificate, ...signing)
      return { certificate, key }
    },
    async revoke(...issued) {
      const [index, number, config] = [place('index.txt'), place('crlnumber'), place('ca.conf')]
      if (!fs.existsSync(index)) {
        fs.writeFileSync(index, '')
        fs.writeFileSync(number, '01\n')
        const section = `database = ${index}\ncrlnumber = ${number}\ndefault_md = sha256\n`
        fs.writeFileSync(config, `[ca]\ndefault_ca = own\n[own]\n${section}`)
      }
      const by = ['-config', config, '-cert', caCertificate, '-keyfile', caKey]
      for (const { certificate } of issued) await openssl('ca', ...by, '-revoke', certificate)
      const [pem, der] = [place('ca.crl.pem'), place('ca.crl')]
      await openssl('ca', ...by, '-gencrl', '-crldays', '1', '-out', pem)
      await openssl('crl', '-in', pem, '-outform', 'DER', '-out', der)
      return fs.readFileSync(der)
    },
    async pkcs12({ certificate, key }, name) {
      const file = place(`${name}.p12`)
      const contents = ['-in', certificate, '-inkey', key, '-certfile', caCertificate, '-name', name]
      await openssl('pkcs12', '-export', ...contents, '-caname', 'ca', '-out', file, '-passout', 'pass:')
      return fs.readFileSync(file)
    },
  }
}
