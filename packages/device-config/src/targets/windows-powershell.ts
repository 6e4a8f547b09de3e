/**
 * A script for Windows 10, 11 and Server with the cmdlets of VpnClient. Windows does IKEv2 with certificates and EAP alone; it
 * names itself as its certificate does and sends no IDr.
 */
import { oneAddress } from '../addresses.ts'
import { comments, deviceLines } from '../comment.ts'
import type { DeviceConfigModel } from '../model.ts'
import { markerNotes, secretText } from '../secret.ts'
import { suitesFor, type SuiteTable } from '../suites.ts'
import { firstRefusal, requiredPpk, type Target } from '../target.ts'

interface Suite {
  readonly cipher: string
  readonly integrity: string
  readonly group: string
  readonly espCipher: string
  readonly espIntegrity: string
}

const suites: SuiteTable<Suite> = {
  modern: {
    cipher: 'GCMAES256',
    integrity: 'SHA384',
    group: 'ECP384',
    espCipher: 'GCMAES256',
    espIntegrity: 'GCMAES256',
  },
  standard: {
    cipher: 'AES256',
    integrity: 'SHA256',
    group: 'Group14',
    espCipher: 'AES256',
    espIntegrity: 'SHA256128',
  },
  compat: { cipher: 'AES256', integrity: 'SHA1', group: 'Group2', espCipher: 'AES256', espIntegrity: 'SHA196' },
}

export const windowsPowershell: Target = {
  mediaType: 'text/plain; charset=utf-8',
  extension: 'ps1',
  refusal: (model) =>
    firstRefusal(model.proof.kind === 'psk' && 'Windows takes no shared key for IKEv2', requiredPpk(model)),
  render,
}

const name = 'Culvert'

function render(model: DeviceConfigModel): string {
  const { concentrator, proof } = model
  const suite = suitesFor(model.tiers, suites)[0]
  if (suite === undefined) return ''
  const server = literal(oneAddress(concentrator.addresses))
  const method = proof.kind === 'certificate' ? 'MachineCertificate' : 'Eap'
  const connection = `-Name ${literal(name)} -ServerAddress ${server} -TunnelType Ikev2 -AuthenticationMethod ${method}`
  return `${head(model)}
#Requires -RunAsAdministrator
$ErrorActionPreference = 'Stop'
${model.authorities.map(trust).join('')}Add-VpnConnection ${connection} -EncryptionLevel Required -SplitTunneling -AllUserConnection -Force
Set-VpnConnectionIPsecConfiguration -ConnectionName ${literal(name)} -AllUserConnection -EncryptionMethod ${suite.cipher} -IntegrityCheckMethod ${suite.integrity} -DHGroup ${suite.group} -CipherTransformConstants ${suite.espCipher} -AuthenticationTransformConstants ${suite.espIntegrity} -PfsGroup None -Force
${model.remotePrefixes.map((prefix) => `Add-VpnConnectionRoute -ConnectionName ${literal(name)} -AllUserConnection -DestinationPrefix ${literal(prefix)}\n`).join('')}${dial(model)}`
}

function head(model: DeviceConfigModel): string {
  return comments('#', [
    ...deviceLines(model.device),
    'Run this in an elevated PowerShell. Written from the documentation of the vendor.',
    ...markerNotes(model, 'text').filter((note) => !note.includes('PPK')),
    ...(model.proof.kind === 'certificate'
      ? [
          'First accept the certificate of the credential into the machine store that holds its key: certreq -accept -machine device.pem',
        ]
      : []),
    ...(model.lanPrefixes.length > 0 ? ['Not carried by Windows: the LANs behind the device.'] : []),
  ])
}

/** What follows `@'` up to a line that begins with `'@` is text. */
function trust(pem: string): string {
  return `$file = New-TemporaryFile
Set-Content -Path $file -Value @'
${pem.trim()}
'@
Import-Certificate -FilePath $file -CertStoreLocation Cert:\\LocalMachine\\Root | Out-Null
Remove-Item -Path $file
`
}

/** Windows keeps what it was dialed with. */
function dial({ proof, secrets }: DeviceConfigModel): string {
  if (proof.kind !== 'eap') return `rasdial.exe ${literal(name)}\n`
  const password = secretText(secrets, 'eap', (text) => text)
  return `rasdial.exe ${literal(name)} ${literal(proof.userName)} ${literal(password)}\n`
}

/** Nothing is expanded between single quotes; PowerShell takes the typographic ones for them too, which no plain text has. */
function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
