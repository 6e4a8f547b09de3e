/** Webhook endpoints and deliveries as callers see them. */
import type { WebhookDelivery, WebhookDeliveryDetail, WebhookEndpoint } from '@culvert/contracts'
import type { DeliveryAttemptRecord, DeliveryDetail, DeliveryRecord, WebhookEndpointRecord } from '@culvert/db'
import { deliveryBody } from '@culvert/webhooks'

export function webhookEndpointView(row: WebhookEndpointRecord): WebhookEndpoint {
  const { id, name, url, eventTypes, deviceTags, networkIds, maxPerSec, state, disabledReason, version } = row
  return {
    id,
    name,
    url,
    eventTypes,
    deviceTags,
    networkIds,
    maxPerSec,
    state,
    disabledReason,
    disabledAt: text(row.disabledAt),
    keys: row.keys.map((key) => ({
      id: key.id,
      signing: key.scheme === 'v1' ? 'hmac' : 'ed25519',
      publicKey: key.publicKey,
      createdAt: key.createdAt.toISOString(),
      expiresAt: text(key.expiresAt),
    })),
    health: {
      failingSince: text(row.failingSince),
      warnedAt: text(row.warnedAt),
      pausedUntil: text(row.pausedUntil),
      lastSuccessAt: text(row.lastSuccessAt),
      lastFailureAt: text(row.lastFailureAt),
    },
    version,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}

export function deliveryView(row: DeliveryRecord): WebhookDelivery {
  const { id, endpointId, eventId, eventType, resourceId, state, attempts, lastAt, lastStatus, lastError } = row
  return {
    id,
    endpointId,
    eventId,
    eventType,
    resourceId,
    state,
    attempts,
    nextAttemptAt: text(row.nextAttemptAt),
    lastAttempt: lastAt && { at: lastAt.toISOString(), status: lastStatus, error: lastError },
    createdAt: row.createdAt.toISOString(),
    finishedAt: text(row.finishedAt),
  }
}

export function deliveryDetailView({ delivery, url, event, log }: DeliveryDetail): WebhookDeliveryDetail {
  const body = event && deliveryBody({ ...event, timestamp: event.createdAt.toISOString() })
  return { ...deliveryView(delivery), request: body === null ? null : { url, body }, log: log.map(attemptView) }
}

function attemptView(row: DeliveryAttemptRecord): WebhookDeliveryDetail['log'][number] {
  const { number, at, durationMs, requestHeaders, status, error, errorDetail } = row
  return {
    number,
    at: at.toISOString(),
    durationMs,
    requestHeaders,
    response:
      status === null
        ? null
        : {
            status,
            headers: row.responseHeaders ?? {},
            body: row.responseBody ?? '',
            truncated: row.responseTruncated,
          },
    error: error === null ? null : { code: error, detail: errorDetail ?? '' },
  }
}

function text(at: Date | null): string | null {
  return at?.toISOString() ?? null
}
