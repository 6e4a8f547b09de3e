/** The body of a delivery: the event as the feed shows it, in octets that are the same at every attempt. */

export interface DeliveredEvent {
  readonly id: string
  readonly type: string
  /** RFC 3339, UTC: when it happened. */
  readonly timestamp: string
  readonly resourceId: string
  readonly sequence: number
  readonly data: unknown
}

export function deliveryBody({ id, type, timestamp, resourceId, sequence, data }: DeliveredEvent): string {
  return JSON.stringify({ id, type, timestamp, resourceId, sequence, data })
}
