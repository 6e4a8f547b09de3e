export { validateChain, MAX_CHAIN_CERTIFICATES } from './chain/validate-chain.ts'
export type { ChainPolicy, ValidChain } from './chain/validate-chain.ts'
export { isDearChain } from './chain/dear-chain.ts'
export { pretendChain } from './chain/pretend-chain.ts'
export { authorityHash, trustAnchors } from './chain/trust-anchors.ts'
export type { KeyedCertificate, TrustAnchors } from './chain/trust-anchors.ts'
export type { Purpose } from './chain/purpose.ts'
export { nameText } from './certificate/name.ts'
export { readCertificate, spkiOf } from './certificate/read-certificate.ts'
export type { Certificate } from './certificate/read-certificate.ts'
export type { Extensions, NameConstraints } from './certificate/extensions.ts'
export type { GeneralName, GeneralNameKind } from './certificate/general-name.ts'
export { createCrlSet } from './crl/crl-set.ts'
export type { CrlSet } from './crl/crl-set.ts'
export { createCrlFetcher } from './crl/crl-fetcher.ts'
export type { CrlFetcher, CrlFetcherOptions } from './crl/crl-fetcher.ts'
export { readCrl } from './crl/read-crl.ts'
export type { Crl } from './crl/read-crl.ts'
export { FAULTS } from './fault.ts'
export type { Fault, FaultCode, Result } from './fault.ts'
export { bindIdentity } from './identity/bind-identity.ts'
export type { ClaimedIdentity } from './identity/bind-identity.ts'
export { makeRoot, openAuthority } from './authority/authority.ts'
export type {
  Authority,
  AuthorityMaterial,
  CrlOptions,
  DeviceCertificateOptions,
  GatewayCertificateOptions,
  IssuedCertificate,
  RootOptions,
} from './authority/authority.ts'
export { checkCertificationRequest } from './authority/certification-request.ts'
export type { CertificationRequest } from './authority/certification-request.ts'
export { makeKeyPair } from './authority/key-pair.ts'
export type { KeyKind, KeyPair } from './authority/key-pair.ts'
export { fromPem, toPem } from './pem.ts'
export type { PemLabel } from './pem.ts'
