/**
 * What a caller may do. An operation of the API names the permission that it takes; an API key carries a list of them, a
 * person has those of the role in the organization that it works for. A permission never reaches into another organization.
 */
export const permissions = [
  'organization:read',
  'organization:write',
  'members:read',
  'members:write',
  /** Making, changing and removing owners. */
  'owners:write',
  'api_keys:read',
  'api_keys:write',
  'networks:read',
  'networks:write',
  'devices:read',
  'devices:write',
  'credentials:read',
  'credentials:write',
  'authorities:read',
  /** Whose certificates devices may have. */
  'authorities:write',
  'attachments:read',
  'attachments:write',
  'tunnels:read',
  /** Any tunnel to any device of the organization. */
  'tunnels:write',
  /** Only the tunnels that a grant allows, and only one's own. */
  'tunnels:open_granted',
  'connections:read',
  'grants:read',
  'grants:write',
  'ssh_keys:read',
  'ssh_keys:write',
  'operations:read',
  'operations:write',
  'audit:read',
  'usage:read',
  /** Thresholds of usage. */
  'usage:write',
  /** Everything that happens in the organization: the feed, and whatever shows events or sends them somewhere. */
  'events:read',
  'webhooks:read',
  'webhooks:write',
  'rules:read',
  'rules:write',
  /** Nodes, which serve all organizations: for who runs the installation. No role has it, and no key that does not name it. */
  'installation:read',
  /** What concerns all organizations, such as the keys that sign access tokens; likewise. */
  'installation:write',
] as const
export type Permission = (typeof permissions)[number]

/** From the one who may do everything to the one who may look. */
export const roles = ['owner', 'admin', 'operator', 'viewer'] as const
export type Role = (typeof roles)[number]

/** Everything that reaches no further than one organization. */
export const organizationPermissions: readonly Permission[] = permissions.filter(
  (permission) => !permission.startsWith('installation:'),
)

const viewer: readonly Permission[] = [
  'organization:read',
  'members:read',
  'networks:read',
  'devices:read',
  'credentials:read',
  'authorities:read',
  'attachments:read',
  'tunnels:read',
  'tunnels:open_granted',
  'connections:read',
  'grants:read',
  'ssh_keys:read',
  'operations:read',
  'usage:read',
  'events:read',
  'rules:read',
]

export const rolePermissions: Readonly<Record<Role, readonly Permission[]>> = {
  owner: organizationPermissions,
  admin: organizationPermissions.filter((permission) => permission !== 'owners:write'),
  operator: [
    ...viewer,
    'devices:write',
    'credentials:write',
    'attachments:write',
    'tunnels:write',
    'ssh_keys:write',
    'operations:write',
    'usage:write',
    'webhooks:read',
    'webhooks:write',
    'rules:write',
  ],
  viewer,
}
