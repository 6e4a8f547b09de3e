/** Whom the audit log names for a write: made once from a request, or by a process for what it does by itself. */
import type { TenantTransactionOptions } from './tenant.ts'

export interface Author {
  readonly kind: 'api_key' | 'user' | 'system'
  /** Of the key (its public part) or the user; of the process for `system`, such as `worker`. */
  readonly id: string
  readonly requestId: string | null
  /** Where the call came from. */
  readonly address: string | null
}

/** Every write function takes them last. */
export interface WriteOptions extends TenantTransactionOptions {
  readonly by: Author
}

/** @param process such as `worker` */
export function systemAuthor(process: string): Author {
  return { kind: 'system', id: process, requestId: null, address: null }
}
