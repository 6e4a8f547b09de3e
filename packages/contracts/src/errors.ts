/**
 * Every error code of the API: its HTTP status, its title and what the caller can do. `DomainError` is how the code below the
 * routes says it; the edge makes an RFC 9457 problem of it. A code never changes its meaning.
 */
export const errorRegistry = {
  malformed_request: {
    status: 400,
    title: 'The request cannot be read',
    advice: 'Send valid JSON in UTF-8 and a valid URL.',
  },
  validation_failed: {
    status: 400,
    title: 'The request has wrong fields',
    advice: 'See `errors`: each entry names a field and its fault.',
  },
  invalid_cursor: {
    status: 400,
    title: 'The cursor is not valid',
    advice: 'Use `nextCursor` of the page before, with the same filters.',
  },
  invalid_idempotency_key: {
    status: 400,
    title: 'The Idempotency-Key cannot be read',
    advice: 'Send 1 to 255 printable characters in quotes, such as a UUID.',
  },
  private_key_given: {
    status: 400,
    title: 'That is a private key',
    advice:
      'Send what is public: the file that ends in `.pub`, the certificate. Nothing of it was kept, but it travelled: make a new key pair.',
  },
  login_refused: {
    status: 400,
    title: 'The login did not come to its end',
    advice: 'Begin again at `/v1/auth/login`, in one browser and within ten minutes.',
  },
  session_ended: {
    status: 400,
    title: 'The session has ended',
    advice: 'Log in again. A refresh token is good once: one that comes twice ends its session.',
  },
  unauthenticated: {
    status: 401,
    title: 'No valid API key or access token',
    advice: 'Send `Authorization: Bearer ...` with an API key or access token that is not revoked or expired.',
  },
  forbidden: {
    status: 403,
    title: 'Not allowed',
    advice: 'See `detail`: it names the permission that the API key or the role does not have.',
  },
  no_membership: {
    status: 403,
    title: 'You are in no organization',
    advice: 'Ask for an invitation to the address that your identity provider has verified, then log in again.',
  },
  not_found: {
    status: 404,
    title: 'Not found',
    advice: 'Check the id; it may belong to another organization or be deleted.',
  },
  login_off: {
    status: 404,
    title: 'People cannot log in here',
    advice: 'Use an API key; who runs the installation can set an identity provider (`OIDC_ISSUER`).',
  },
  webhooks_off: {
    status: 404,
    title: 'There are no webhooks here',
    advice: 'Read the feed of events; who runs the installation can set `WEBHOOK_SEALING_PUBLIC_KEY`.',
  },
  method_not_allowed: { status: 405, title: 'Method not allowed', advice: 'See the `Allow` header.' },
  request_timeout: { status: 408, title: 'The request did not arrive in time', advice: 'Send it again.' },
  duplicate_iccid: {
    status: 409,
    title: 'A device with this ICCID exists',
    advice: 'Use that device, or delete it first.',
  },
  device_offline: {
    status: 409,
    title: 'The device is offline',
    advice: 'Set `waitForDevice` to open the tunnel when it attaches.',
  },
  device_not_tunnelable: {
    status: 409,
    title: 'Tunnels to this device are switched off',
    advice: 'Set `tunnelable` of the device to true.',
  },
  device_not_attached: { status: 409, title: 'The device is not attached', advice: 'Nothing is to be detached.' },
  credential_limit: {
    status: 409,
    title: 'The device has enough credentials',
    advice: 'Revoke one first: two of a kind may be active, for rotation.',
  },
  certificate_limit: {
    status: 409,
    title: 'The device has had too many certificates',
    advice:
      'Revoked ones count until they would have expired, as the revocation list names them: wait, or ask for shorter lives with `expiresAt`.',
  },
  certificate_in_use: {
    status: 409,
    title: 'The certificate is a credential already',
    advice: "One certificate is one device's: revoke the credential that has it, or give this device its own.",
  },
  authority_exists: {
    status: 409,
    title: 'The organization has this authority already',
    advice: 'Find it by its `fingerprint`.',
  },
  authority_limit: {
    status: 409,
    title: 'The organization has enough authorities',
    advice: 'Delete authorities that are not needed; register a root rather than each authority below it.',
  },
  credential_revoked: { status: 409, title: 'The credential is already revoked', advice: 'Nothing is to be done.' },
  member_exists: {
    status: 409,
    title: 'This address is a member or invited already',
    advice: 'Change that member, or remove it first; an invitation that is over is removed too.',
  },
  member_limit: {
    status: 409,
    title: 'The organization has enough members',
    advice: 'Remove members and invitations that are not needed.',
  },
  last_owner: {
    status: 409,
    title: 'This is the last owner',
    advice: 'Make somebody else an owner first.',
  },
  grant_limit: {
    status: 409,
    title: 'The holder has enough grants',
    advice: 'Revoke grants that are not needed.',
  },
  ssh_key_exists: {
    status: 409,
    title: 'The organization has this SSH key already',
    advice: 'Find it by its `fingerprint`; one key has one owner.',
  },
  ssh_key_limit: {
    status: 409,
    title: 'The owner has enough SSH keys',
    advice: 'Delete keys that are not needed.',
  },
  rule_limit: {
    status: 409,
    title: 'The organization has enough automation rules',
    advice: 'Delete rules that are not needed.',
  },
  threshold_limit: {
    status: 409,
    title: 'The organization has enough thresholds',
    advice: 'Delete thresholds that are not needed.',
  },
  api_key_limit: {
    status: 409,
    title: 'The organization has enough API keys',
    advice: 'Delete keys that are not needed.',
  },
  api_key_rotating: {
    status: 409,
    title: 'An earlier secret of the key is still good',
    advice: 'Wait until `formerSecretUntil`, or rotate with `overlapSec` 0, which ends it at once.',
  },
  duplicate_network: {
    status: 409,
    title: 'A network with this name exists',
    advice: 'Use that network, or another name.',
  },
  pool_taken: {
    status: 409,
    title: 'The pool cannot be had',
    advice:
      'Addresses in it are used already or set aside. Choose another prefix, or leave `pool` out to have a free one allotted.',
  },
  network_limit: {
    status: 409,
    title: 'The organization has enough networks',
    advice: 'Delete networks that are not needed, or ask for a smaller pool.',
  },
  network_in_use: {
    status: 409,
    title: 'The network has devices',
    advice: 'Delete its devices first; those deleted count until their addresses have rested (30 days).',
  },
  network_full: {
    status: 409,
    title: 'The network has no free address',
    advice: 'Delete devices that are gone, or use another network.',
  },
  tunnel_not_active: { status: 409, title: 'The tunnel has ended', advice: 'Open a new one.' },
  tunnel_limit: { status: 409, title: 'The device has enough tunnels', advice: 'Close tunnels that are not needed.' },
  operation_limit: {
    status: 409,
    title: 'Enough operations are under way',
    advice:
      'Wait until one is done, or cancel one: an organization may have ten under way, an endpoint of webhooks one replay.',
  },
  operation_done: { status: 409, title: 'The operation is done', advice: 'Nothing is to be cancelled.' },
  operation_cancelled: {
    status: 409,
    title: 'The operation was cancelled',
    advice: 'What was done before stays done; start it anew for the rest.',
  },
  webhook_endpoint_limit: {
    status: 409,
    title: 'The organization has enough webhook endpoints',
    advice: 'Delete endpoints that are not needed; one endpoint may take events of many types.',
  },
  webhook_rotating: {
    status: 409,
    title: 'The key before is still good',
    advice: 'Wait until its `expiresAt`, or rotate with `overlapSec` 0, which ends it at once.',
  },
  webhook_disabled: {
    status: 409,
    title: 'The webhook endpoint is disabled',
    advice: 'Enable it first (`/enable`).',
  },
  event_forgotten: {
    status: 409,
    title: 'The event is forgotten',
    advice: 'Events are kept for 90 days unless the operator says otherwise. Read the resource as it is now.',
  },
  idempotency_in_progress: {
    status: 409,
    title: 'A request with this Idempotency-Key is still being done',
    advice: 'Send it again after the time in `Retry-After`, with the same key: its answer comes then.',
  },
  precondition_failed: {
    status: 412,
    title: 'The resource has changed',
    advice: 'Read it again and repeat with its new `ETag`.',
  },
  payload_too_large: { status: 413, title: 'The body is too large', advice: 'Send less.' },
  uri_too_long: { status: 414, title: 'The URL is too long', advice: 'Send less.' },
  unsupported_media_type: {
    status: 415,
    title: 'The content type is not supported',
    advice: 'Send `Content-Type: application/json`.',
  },
  host_outside_lans: {
    status: 422,
    title: 'The host is on no LAN of the device',
    advice: 'Add its LAN to `lanPrefixes` of the device, or leave `host` out to reach the device itself.',
  },
  url_refused: {
    status: 422,
    title: 'Nothing is sent to this URL',
    advice: 'See `detail`: use https, a usual port, and a host on the public Internet.',
  },
  unreadable_rows: {
    status: 422,
    title: 'The rows cannot be read',
    advice: 'Send one JSON object on each line, or CSV (RFC 4180) in UTF-8 whose first line names the columns.',
  },
  secret_not_readable: {
    status: 409,
    title: 'The secret of this credential cannot be read back',
    advice: 'It was shown once, when it was issued. Have a new credential issued with the link (`issue`).',
  },
  config_link_limit: {
    status: 409,
    title: 'The device has enough links that wait',
    advice: 'Withdraw one, or wait until one was used or has expired.',
  },
  config_link_gone: {
    status: 410,
    title: 'The link gives nothing any more',
    advice:
      'It was used, has expired, or never was. When you did not use it yourself, revoke the credential; then make a new link.',
  },
  cursor_expired: {
    status: 410,
    title: 'Events after this cursor are removed already',
    advice:
      'Go on at the URL in `Link`, which begins with the oldest event that is kept; read what you missed from the resources.',
  },
  config_not_possible: {
    status: 422,
    title: 'This target cannot be configured for the device',
    advice: 'See `detail`: it says why, and which targets can.',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'The Idempotency-Key belongs to another request',
    advice:
      'Send a key of its own with each request that differs in method, URL, body or the secret of the API key; the same request again goes with the same key.',
  },
  weak_psk: {
    status: 422,
    title: 'The pre-shared key is too weak',
    advice: 'Leave `psk` out to have one made, or send at least 128 bits of random characters.',
  },
  csr_refused: {
    status: 422,
    title: 'No certificate is made for this request',
    advice: 'See `detail`; send a PKCS#10 request in PEM, signed by an RSA, ECDSA or Ed25519 key of usual strength.',
  },
  authority_refused: {
    status: 422,
    title: 'The certificate is not taken as an authority',
    advice:
      'See `detail`; send one certificate in PEM that is valid now and may sign certificates, with an RSA key from 2048 bits, P-256, P-384, P-521 or Ed25519.',
  },
  certificate_refused: {
    status: 422,
    title: 'The certificate is not taken as a credential',
    advice:
      'See `detail`; send the certificate of the device in PEM, then those between it and the authority, all of them valid now and not revoked.',
  },
  rate_limited: {
    status: 429,
    title: 'There were too many calls',
    advice:
      'Wait for the time in `Retry-After`; the headers `RateLimit` and `RateLimit-Policy` say what is left of what.',
  },
  idempotency_limit: {
    status: 429,
    title: 'Too many Idempotency-Keys are kept for the organization',
    advice: 'Wait until some are a day old; `POST /v1/devices/import` does many things with one.',
  },
  stream_limit: {
    status: 429,
    title: 'Enough calls wait for events already',
    advice: 'End streams that are not needed, or share one. Calls that do not wait are not limited by this.',
  },
  headers_too_large: { status: 431, title: 'The headers are too large', advice: 'Send less.' },
  internal_error: {
    status: 500,
    title: 'Something went wrong on our side',
    advice: 'Try again; if it stays, report the `requestId`.',
  },
  identity_provider_unavailable: {
    status: 503,
    title: 'The identity provider cannot be reached',
    advice: 'Try again after the time in `Retry-After`; sessions that are there go on.',
  },
  tunnel_failed: { status: 503, title: 'The tunnel could not be opened', advice: 'See `detail`; try again.' },
  no_gateway: { status: 503, title: 'No gateway is ready', advice: 'Try again after the time in `Retry-After`.' },
  no_concentrator: {
    status: 503,
    title: 'No concentrator is known yet',
    advice: 'Try again after the time in `Retry-After`.',
  },
  no_authority: {
    status: 503,
    title: 'There is no certificate authority yet',
    advice: 'Try again after the time in `Retry-After`; the signer makes it when it first runs.',
  },
  database_unavailable: {
    status: 503,
    title: 'The database cannot be reached',
    advice: 'Try again after the time in `Retry-After`; running tunnels go on.',
  },
} as const satisfies Record<string, { status: number; title: string; advice: string }>

export type ErrorCode = keyof typeof errorRegistry
export const errorCodes = Object.keys(errorRegistry) as readonly ErrorCode[]

/** One wrong field. `pointer` is a JSON pointer (RFC 6901) into the part of the request that `in` names. */
export interface FieldError {
  readonly in: 'body' | 'query' | 'path' | 'header'
  readonly pointer: string
  readonly message: string
}

export interface DomainErrorOptions {
  /** For the caller: no secrets, nothing of other organizations. */
  readonly publicDetail?: string
  /** For logs only. */
  readonly internalContext?: Readonly<Record<string, unknown>>
  readonly errors?: readonly FieldError[]
  /** The same request may succeed after this many seconds. */
  readonly retryAfterSec?: number
  /** What the request began has come to nothing: sent again, it begins anew, under the same Idempotency-Key too. */
  readonly undone?: boolean
  readonly cause?: unknown
}

export class DomainError extends Error {
  readonly code: ErrorCode
  readonly publicDetail: string
  readonly internalContext: Readonly<Record<string, unknown>>
  readonly errors: readonly FieldError[]
  readonly retryAfterSec: number | null
  readonly undone: boolean

  constructor(code: ErrorCode, options: DomainErrorOptions = {}) {
    super(
      options.publicDetail ?? errorRegistry[code].title,
      options.cause === undefined ? {} : { cause: options.cause },
    )
    this.name = 'DomainError'
    this.code = code
    this.publicDetail = options.publicDetail ?? `${errorRegistry[code].title}. ${errorRegistry[code].advice}`
    this.internalContext = options.internalContext ?? {}
    this.errors = options.errors ?? []
    this.retryAfterSec = options.retryAfterSec ?? null
    this.undone = options.undone ?? false
  }

  get retryable(): boolean {
    return this.retryAfterSec !== null
  }
}
