export {
  proofKinds,
  usualTiming,
  type CertificateKey,
  type DeviceConfigModel,
  type ProofKind,
  type Secrets,
} from './model.ts'
export { configTargets, renderConfig, type ConfigTarget, type Rendered } from './render.ts'
export { hexSecret, markers } from './secret.ts'
