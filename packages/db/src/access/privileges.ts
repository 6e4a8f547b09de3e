/**
 * What each role may do with each table. API and worker may read and write the tables that are not named here, so that a new
 * resource needs no line; nodes, the signer and the resealer get what is named and nothing else.
 */
import type { DatabaseRole } from './roles.ts'

export type Privilege = 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE'

/** Privileges on all columns that are no secret, or on the columns named. */
export type TablePrivileges = readonly (Privilege | { readonly UPDATE: readonly string[] })[]

/** Sealed with HPKE: read by `culvert_secrets` alone; whoever makes a row may write them. */
export function isSealedColumn(table: string, column: string): boolean {
  return column.startsWith('sealed_') && readerOfSecret(table, column) === null
}

/** What is sealed for one process alone, which no other one reads. */
const ownSecrets: Readonly<Record<string, DatabaseRole>> = {
  'signing_keys.sealed_private_key': 'culvert_api',
  'webhook_keys.sealed_key': 'culvert_worker',
}

/** @returns the role that alone reads the column; null when it is no such secret */
export function readerOfSecret(table: string, column: string): DatabaseRole | null {
  return ownSecrets[`${table}.${column}`] ?? null
}

/** Hashes of secrets of callers, which the API compares and nobody else reads. */
export function isHashOfSecret(column: string): boolean {
  return column.endsWith('secret_hash')
}

const all: TablePrivileges = ['SELECT', 'INSERT', 'UPDATE', 'DELETE']
const read: TablePrivileges = ['SELECT']
const none: TablePrivileges = []
const append: TablePrivileges = ['SELECT', 'INSERT']
const upsert: TablePrivileges = ['SELECT', 'INSERT', 'UPDATE']

interface RolePrivileges {
  /** For tables that are not named. */
  readonly otherwise: TablePrivileges
  readonly tables: Readonly<Record<string, TablePrivileges>>
}

export const privileges: Readonly<Partial<Record<DatabaseRole, RolePrivileges>>> = {
  culvert_api: {
    otherwise: all,
    tables: {
      organizations: upsert,
      audit_log: append,
      audit_heads: read,
      events: append,
      event_feed: read,
      event_floors: read,
      relay_faults: none,
      event_tallies: none,
      // Written by nodes, the signer and the worker.
      attachments: ['SELECT', { UPDATE: ['detach_desired'] }],
      ike_sas: read,
      child_sas: read,
      attach_attempts: read,
      outer_addresses: none,
      device_usage: read,
      usage_deltas: none,
      rule_runs: read,
      rule_effects: none,
      usage_hourly: read,
      usage_daily: none,
      host_mappings: ['SELECT', 'DELETE'],
      connections: read,
      device_tags: read,
      webhook_attempts: read,
      concentrators: read,
      gateways: read,
      gateway_certificates: none,
      certificate_authorities: read,
      revoked_certificates: append,
      installation: none,
    },
  },
  culvert_worker: {
    otherwise: all,
    tables: {
      audit_log: append,
      audit_heads: read,
      installation: none,
      certificate_authorities: read,
      gateway_certificates: read,
    },
  },
  culvert_concentrator: {
    otherwise: none,
    tables: {
      installation: upsert,
      concentrators: upsert,
      gateway_certificates: upsert,
      certificate_authorities: read,
      revoked_certificates: read,
      organizations: read,
      networks: read,
      network_pools: read,
      devices: read,
      credentials: read,
      device_authorities: read,
      attachments: upsert,
      ike_sas: all,
      child_sas: all,
      attach_attempts: ['SELECT', 'INSERT', 'DELETE'],
      outer_addresses: upsert,
      device_usage: upsert,
      host_mappings: all,
      tunnels: read,
      tunnel_ports: read,
      events: append,
      event_floors: read,
      event_tallies: upsert,
    },
  },
  culvert_gateway: {
    otherwise: none,
    tables: {
      gateways: upsert,
      concentrators: read,
      attachments: read,
      host_mappings: read,
      tunnels: ['SELECT', 'UPDATE'],
      tunnel_ports: ['SELECT', 'UPDATE'],
      connections: upsert,
      events: append,
      event_floors: read,
    },
  },
  culvert_signer: {
    otherwise: none,
    tables: {
      certificate_authorities: all,
      revoked_certificates: append,
      gateway_certificates: ['SELECT', 'UPDATE'],
      concentrators: read,
      organizations: read,
      devices: ['SELECT', { UPDATE: ['policy_version'] }],
      credentials: [
        'SELECT',
        { UPDATE: ['issuance', 'certificates', 'serial', 'fingerprint', 'expires_at', 'refusal', 'revoked_at'] },
      ],
      events: append,
      event_floors: read,
    },
  },
  culvert_resealer: {
    otherwise: none,
    tables: {
      credentials: ['SELECT', { UPDATE: ['sealed_secret', 'sealing_key_id'] }],
      devices: ['SELECT', { UPDATE: ['policy_version'] }],
      concentrators: read,
      audit_log: append,
      audit_heads: read,
    },
  },
}

/** Functions that look beyond one organization, each for one question. */
export const apiFunctions = [
  'api_key_by_id(text)',
  'organizations_of_user(text)',
  'organizations_of_session(text, timestamptz)',
  'invitations_for(text)',
  'choose_gateway(integer)',
  'seen_by_others(text, inet, timestamptz)',
  'pools6_within(inet)',
  'free_pool4(inet, integer)',
] as const
