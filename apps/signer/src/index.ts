export { AuthorityError, loadAuthority, type LoadedAuthority } from './load-authority.ts'
export { runSigner, type RunningSigner, type SignerOptions } from './run-signer.ts'
export { SignerSettings } from './settings.ts'
export type { Lifetimes } from './sign.ts'
