export {
  AuthorityError,
  loadAuthority,
  loadFormer,
  readPassphrase,
  type LoadedAuthority,
  type LoadOptions,
} from './load-authority.ts'
export { runSigner, type RunningSigner, type SignerOptions } from './run-signer.ts'
export { SignerSettings } from './settings.ts'
export type { Lifetimes } from './sign.ts'
