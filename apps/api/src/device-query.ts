/** Filter and order of devices, from the query of a request to what package db takes. */
import type { DeviceQuery } from '@culvert/contracts'
import type { DeviceFilter, DeviceOrder, DeviceSort } from '@culvert/db'
import { dateOf } from './list-query.ts'

type FilterQuery = Omit<DeviceQuery, 'limit' | 'cursor' | 'sort'>

export function deviceFilterOf(query: FilterQuery): DeviceFilter {
  const { iccid, iccidPrefix, imsi, imsiPrefix, imei, imeiPrefix, name, namePrefix, networkId, tunnelable } = query
  const tagsAll = [...(query.tagsAll?.split(',') ?? []), ...(query.tag === undefined ? [] : [query.tag])]
  return {
    iccid,
    iccidPrefix,
    imsi,
    imsiPrefix,
    imei,
    imeiPrefix,
    name,
    namePrefix,
    networkId,
    tunnelable,
    tagsAll: tagsAll.length === 0 ? undefined : [...new Set(tagsAll)],
    tagsAny: query.tagsAny?.split(','),
    online: query.state === undefined ? undefined : query.state === 'online',
    createdFrom: dateOf(query.createdFrom),
    createdBefore: dateOf(query.createdBefore),
    seenFrom: dateOf(query.seenFrom),
    seenBefore: dateOf(query.seenBefore),
  }
}

export function deviceSortOf({ sort = '-createdAt' }: Pick<DeviceQuery, 'sort'>): DeviceSort {
  return { by: sort.replace('-', '') as DeviceOrder, descending: sort.startsWith('-') }
}
