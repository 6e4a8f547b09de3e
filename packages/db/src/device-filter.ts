/**
 * What devices can be chosen by, in lists, exports and work on many. Each filter is one condition on a row of `devices d`;
 * those that few devices may meet have an index besides, in which at most a given number of them is looked up
 * (`narrowings`). Comparisons are such as row-level security lets an index answer.
 */
import type { Conditions } from './page.ts'

export interface DeviceFilter {
  readonly iccid?: string | undefined
  readonly iccidPrefix?: string | undefined
  readonly imsi?: string | undefined
  readonly imsiPrefix?: string | undefined
  readonly imei?: string | undefined
  readonly imeiPrefix?: string | undefined
  /** A part of the name, in any case. */
  readonly name?: string | undefined
  readonly namePrefix?: string | undefined
  readonly tagsAll?: readonly string[] | undefined
  readonly tagsAny?: readonly string[] | undefined
  readonly networkId?: string | undefined
  readonly online?: boolean | undefined
  readonly tunnelable?: boolean | undefined
  /** From this time on, and before that. */
  readonly createdFrom?: Date | undefined
  readonly createdBefore?: Date | undefined
  readonly seenFrom?: Date | undefined
  readonly seenBefore?: Date | undefined
}

/** Ends the texts that begin with a prefix, compared by octets. */
const beyond = '\u{10FFFF}'
/** Of the attachment of `d`; a scalar, so that it is one look into an index for each row and never a join. */
const attachment = (column: string): string =>
  `(SELECT ${column} FROM attachments a WHERE a.organization_id = d.organization_id AND a.device_id = d.id)`

/** Adds all of the filter; `d` is `devices`. */
export function addDeviceConditions(where: Conditions, filter: DeviceFilter): Conditions {
  for (const column of ['iccid', 'imsi', 'imei'] as const) {
    const [exact, prefix] = [filter[column], filter[`${column}Prefix`]]
    if (exact !== undefined) where.add(`d.${column} = ?`, exact)
    if (prefix !== undefined) where.add(`d.${column} >= ? AND d.${column} < ?`, prefix, prefix + beyond)
  }
  const { name, namePrefix, tagsAll, tagsAny, networkId, online, tunnelable } = filter
  if (namePrefix !== undefined)
    where.add('d.name_key >= lower(?::text) AND d.name_key < lower(?::text) || ?', namePrefix, namePrefix, beyond)
  if (name !== undefined) where.add('strpos(d.name_key, lower(?::text)) > 0', name)
  if (tagsAll !== undefined) where.add('d.tags @> ?::text[]', tagsAll)
  if (tagsAny !== undefined) where.add('d.tags && ?::text[]', tagsAny)
  if (networkId !== undefined) where.add('d.network_id = ?', networkId)
  if (tunnelable !== undefined) where.add('d.tunnelable = ?', tunnelable)
  if (online !== undefined) where.add(`coalesce(${attachment(`a.state = 'attached'`)}, false) = ?`, online)
  if (filter.createdFrom !== undefined) where.add('d.created_at >= ?', filter.createdFrom)
  if (filter.createdBefore !== undefined) where.add('d.created_at < ?', filter.createdBefore)
  if (filter.seenFrom !== undefined) where.add(`${attachment('a.last_seen_at')} >= ?`, filter.seenFrom)
  if (filter.seenBefore !== undefined) where.add(`${attachment('a.last_seen_at')} < ?`, filter.seenBefore)
  return where
}

export function isEmptyFilter(filter: DeviceFilter): boolean {
  return Object.values(filter).every((value) => value === undefined)
}

/** Ids of the devices that meet one part of a filter, read from one index. */
export interface Narrowing {
  /** `SELECT ... AS id FROM ... WHERE ...` without order or limit. */
  readonly select: string
  readonly add: (where: Conditions) => Conditions
}

/** @returns the parts of the filter that an index can answer alone, those first that tend to leave fewest */
export function narrowings(filter: DeviceFilter): Narrowing[] {
  const all: Narrowing[] = []
  const fromDevices = (part: DeviceFilter): void => {
    if (isEmptyFilter(part)) return
    all.push({
      select: 'SELECT d.id FROM devices d',
      add: (where) => addDeviceConditions(where.add('d.deleted_at IS NULL'), part),
    })
  }
  for (const column of ['iccid', 'imsi', 'imei'] as const) fromDevices({ [column]: filter[column] })
  for (const column of ['iccidPrefix', 'imsiPrefix', 'imeiPrefix'] as const) fromDevices({ [column]: filter[column] })
  fromDevices({ namePrefix: filter.namePrefix })
  for (const tag of filter.tagsAll ?? []) {
    all.push({ select: 'SELECT d.device_id AS id FROM device_tags d', add: (where) => where.add('d.tag = ?', tag) })
  }
  if (filter.tagsAny !== undefined) {
    const { tagsAny } = filter
    all.push({
      select: 'SELECT d.device_id AS id FROM device_tags d',
      add: (where) => where.add('d.tag = ANY(?::text[])', tagsAny),
    })
  }
  fromDevices({ networkId: filter.networkId })
  if (filter.online === true) {
    all.push({
      select: 'SELECT d.device_id AS id FROM attachments d',
      add: (where) => where.add(`d.state = 'attached'`),
    })
  }
  const { seenFrom, seenBefore } = filter
  if (seenFrom !== undefined || seenBefore !== undefined) {
    all.push({
      select: 'SELECT d.device_id AS id FROM attachments d',
      add: (where) => {
        if (seenFrom !== undefined) where.add('d.last_seen_at >= ?', seenFrom)
        if (seenBefore !== undefined) where.add('d.last_seen_at < ?', seenBefore)
        return where
      },
    })
  }
  if (filter.createdFrom !== undefined && filter.createdBefore !== undefined)
    fromDevices({ createdFrom: filter.createdFrom, createdBefore: filter.createdBefore })
  return all
}
