export { deliveryBody, type DeliveredEvent } from './delivery-body.ts'
export { FilterIndex, fitsType, testEventType, type EndpointFilter, type EventSubject } from './filter.ts'
export {
  disableAfterMs,
  leastWarningMs,
  stepHealth,
  warnAfterMs,
  type EndpointHealth,
  type HealthStep,
} from './health.ts'
export { privateKeyText, publicKeyText, readWebhookKey, secretText, type WebhookKey } from './keys.ts'
export { delayAfter, jitterShare, longestRetryAfterSec, mostAttempts, pauseAfter, retryScheduleSec } from './retry.ts'
export {
  ed25519Pkcs8,
  ed25519Signer,
  hmacSigner,
  signedHeaders,
  type Message,
  type SignedHeaders,
  type Signer,
} from './signature.ts'
export { verdictOf, type Answer, type Verdict } from './verdict.ts'
