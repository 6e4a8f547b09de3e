/** Groups of operations, in the order in which a reader meets them. An operation has one of them; a new one is described here. */
export const tags = [
  {
    name: 'devices',
    description: 'SIM devices and routers: register them, describe them, and fetch what to paste into them.',
  },
  { name: 'credentials', description: 'What a device proves itself with. Secrets are shown once, when they are made.' },
  {
    name: 'device authorities',
    description: "The organization's own certificate authorities, whose certificates its devices may have.",
  },
  {
    name: 'tunnels',
    description: "A customer's access to a port of a device, for a while and for some addresses only.",
  },
  {
    name: 'attachments',
    description: 'How a device is attached, with its security associations, and why it could not attach.',
  },
  { name: 'networks', description: 'Address pools, and what holds for all devices of one.' },
  {
    name: 'operations',
    description: 'What takes longer than a call: how far it is, what came of it, and an end to it.',
  },
  { name: 'organization', description: 'What holds for everything the caller owns.' },
  {
    name: 'login',
    description: 'How people come to access tokens: at their identity provider, then by refresh tokens.',
  },
  { name: 'members', description: 'People of the organization, with their roles, and who is invited.' },
  {
    name: 'grants',
    description: 'Who may open which tunnels without being allowed all of them, and until when.',
  },
  {
    name: 'api keys',
    description: 'What programs call with: made with scopes and an end, rotated with overlap, revoked at once.',
  },
  {
    name: 'ssh keys',
    description: 'Public keys of people and automations, by which an SSH gateway knows them.',
  },
  { name: 'audit log', description: 'Who changed what, and what was not allowed; chained by hashes.' },
  { name: 'automation', description: 'Rules: on these events, for these devices, in these hours, do this.' },
  {
    name: 'usage',
    description: 'What devices, tunnels and the organization used, hour by hour, and what tells about it.',
  },
  {
    name: 'webhooks',
    description: 'Where events are delivered to, signed; the log of deliveries, and deliveries made again.',
  },
  { name: 'concentrators', description: 'The nodes that devices attach to.' },
  { name: 'gateways', description: 'The nodes that customers connect to.' },
  { name: 'certificates', description: 'The authority that devices trust, and its revocation list. Public.' },
  { name: 'errors', description: 'What a code means.' },
  { name: 'health', description: 'For load balancers and supervisors.' },
  {
    name: 'events',
    description: 'What happened: read as a feed or a stream, and delivered to endpoints of the customer as webhooks.',
  },
]
