/**
 * The roles of the database: each process works as one of them, whatever user its URL names. None can log in or owns a table;
 * who logs in is a member, or the owner of the schema, who alone changes it.
 */
export const databaseRoles = [
  /** Rows of one organization at a time: row-level security compares with what the door has set. */
  'culvert_api',
  /** Rows of all organizations, no secrets. */
  'culvert_worker',
  'culvert_concentrator',
  'culvert_gateway',
  'culvert_signer',
  /** Reads sealed columns; concentrators are members. */
  'culvert_secrets',
  /** Seals secrets anew with another key; a member of `culvert_secrets`. */
  'culvert_resealer',
  /** The schema of the job queues and nothing else. */
  'culvert_queue',
] as const

export type DatabaseRole = (typeof databaseRoles)[number]

/** Roles that have the privileges of others. */
export const memberships: readonly (readonly [member: DatabaseRole, of: DatabaseRole])[] = [
  ['culvert_concentrator', 'culvert_secrets'],
  ['culvert_resealer', 'culvert_secrets'],
]

/** Roles that see the rows of every organization. */
export const installationRoles: readonly DatabaseRole[] = [
  'culvert_worker',
  'culvert_concentrator',
  'culvert_gateway',
  'culvert_signer',
  'culvert_resealer',
]
