/** REST: work on many devices at once, each an operation. */
import { Type, type Static } from 'typebox'
import { NetworkId, nullable, oneOf, ProposalTiers } from '../fields.ts'
import { deviceFilterFields, DeviceTags } from './device.ts'

/** Octets of an import. */
export const maxImportBytes = 64 * 1024 * 1024

export const DeviceImportQuery = Type.Object(
  {
    onExisting: Type.Optional(
      oneOf(['fail', 'skip', 'update'], {
        description:
          'What becomes of a row whose ICCID belongs to a device: it is a fault (as when left out), it is left alone, or the device takes what the row names.',
      }),
    ),
    networkId: Type.Optional(NetworkId),
    validateOnly: Type.Optional(
      Type.Boolean({ description: 'A rehearsal: every row is checked, faults are told, nothing is registered.' }),
    ),
  },
  { additionalProperties: false },
)
export type DeviceImportQuery = Static<typeof DeviceImportQuery>

export const ValidateOnlyQuery = Type.Object(
  {
    validateOnly: Type.Optional(
      Type.Boolean({ description: 'A rehearsal: the devices are counted, nothing is changed.' }),
    ),
  },
  { additionalProperties: false },
)

const chosen = {
  filter: Type.Optional(
    Type.Object(deviceFilterFields, {
      additionalProperties: false,
      minProperties: 1,
      description: 'As in the list of devices: all that is given must hold.',
      'x-example': { tag: 'env=test' },
    }),
  ),
  all: Type.Optional(Type.Literal(true, { description: 'Every device, instead of `filter`.' })),
}

export const DeviceBatchUpdate = Type.Object(
  {
    ...chosen,
    change: Type.Object(
      {
        addTags: Type.Optional(DeviceTags),
        removeTags: Type.Optional(DeviceTags),
        tunnelable: Type.Optional(Type.Boolean()),
        proposalTiers: Type.Optional(nullable(ProposalTiers)),
      },
      {
        additionalProperties: false,
        minProperties: 1,
        'x-example': { addTags: ['env=live'], removeTags: ['env=test'] },
      },
    ),
  },
  { additionalProperties: false, 'x-example': { filter: { tag: 'env=test' }, change: { addTags: ['env=live'] } } },
)
export type DeviceBatchUpdate = Static<typeof DeviceBatchUpdate>

export const DeviceBatchDelete = Type.Object(chosen, {
  additionalProperties: false,
  'x-example': { filter: { tag: 'scrapped' } },
})
export type DeviceBatchDelete = Static<typeof DeviceBatchDelete>

export const DeviceExportQuery = Type.Object(
  {
    ...deviceFilterFields,
    format: Type.Optional(oneOf(['ndjson', 'csv'], { description: '`ndjson` when left out.' })),
  },
  { additionalProperties: false },
)
export type DeviceExportQuery = Static<typeof DeviceExportQuery>
