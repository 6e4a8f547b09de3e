/**
 * Registers devices row by row, some hundred in a transaction. A row with a fault is told and left out, the others are done; a
 * row whose ICCID is known is a fault, is skipped or changes the device, as was asked for. A rehearsal checks the same and
 * writes nothing but the faults.
 */
import { canonicalCidr, DeviceInput, lanPrefixFault, registerFormats, schemaFaults } from '@culvert/contracts'
import {
  addOperationFaults,
  advanceOperation,
  changeDevices,
  createDevices,
  ensureNetwork,
  findDevicesByIccid,
  innerAddressRange,
  inTenantTransaction,
  lockNetworks,
  readOperationInput,
  type DeviceChange,
  type DeviceSeed,
  type KnownDevice,
  type NewFault,
  type OperationClaim,
  type OperationEnd,
  type Pool,
  type TenantSql,
  type Touched,
} from '@culvert/db'
import { hintNodes } from '@culvert/queue'
import { Compile } from 'typebox/compile'
import type { OperationHandler } from './operation-handler.ts'
import { readCsv, readCsvHeader, readNdjson, UnreadableRowsError, type ReadRow, type RowFormat } from './row-reader.ts'

export interface ImportRequest {
  readonly format: RowFormat
  readonly onExisting: 'fail' | 'skip' | 'update'
  /** Null: `default`, which is made when it is not there. */
  readonly networkId: string | null
  readonly zone: string
  readonly servicePrefix: string
  readonly pool6Prefix: string | null
  readonly blockBytes: number
  /** That the one who asked may put on no device. */
  readonly withheldTags: readonly string[]
}

interface Checkpoint {
  readonly byte: number
  readonly row: number
  /** Of a CSV. */
  readonly columns: string[] | null
  readonly faults: number
  readonly created: number
  readonly updated: number
  readonly skipped: number
}

const batchRows = 500
const blocksAtOnce = 4

registerFormats()
const deviceSchema = Compile(DeviceInput)

export const importDevices: OperationHandler = (first, { pool, queues }) => {
  const request = first.request as unknown as ImportRequest
  let source: AsyncGenerator<ReadRow> | null = null
  let columns: string[] | null = null
  /** ICCIDs that a rehearsal has met, as nothing is written that would tell them. */
  const met = new Set<string>()

  return {
    step: async (claim) => {
      const at = checkpointOf(claim)
      try {
        if (source === null) {
          const opened = await openRows(pool, claim, at)
          columns = opened.columns
          source = opened.rows
        }
        if (claim.validateOnly && met.size === 0 && at.row > 0) await meetAgain(pool, claim, at, met)
        const batch = await take(source, batchRows)
        if (batch.length === 0) return finished(claim, at)
        const { claim: further, touched } = await writeBatch(pool, claim, { request, batch, columns, met })
        hintNodes(queues, touched, 'policy.changed')
        return further
      } catch (error) {
        if (!(error instanceof UnreadableRowsError)) throw error
        const where = at.row === 0 ? '' : ` after row ${at.row}`
        return {
          state: 'failed',
          error: { code: 'unreadable_rows', detail: `${error.message.replace(/\.$/, '')}${where}.` },
        }
      }
    },
  }
}

function checkpointOf({ checkpoint }: OperationClaim): Checkpoint {
  return { byte: 0, row: 0, columns: null, faults: 0, created: 0, updated: 0, skipped: 0, ...checkpoint }
}

function finished({ failed }: OperationClaim, { created, updated, skipped }: Checkpoint): OperationEnd {
  return { state: 'succeeded', result: { created, updated, skipped, failed } }
}

async function openRows(
  pool: Pool,
  claim: OperationClaim,
  { byte, row, columns }: Pick<Checkpoint, 'byte' | 'row' | 'columns'>,
): Promise<{ rows: AsyncGenerator<ReadRow>; columns: string[] | null }> {
  const { format, blockBytes } = claim.request as unknown as ImportRequest
  const from = (at: number): AsyncGenerator<Buffer> => inputFrom(pool, claim, at, blockBytes)
  if (format === 'ndjson') return { rows: readNdjson(from(byte), { byte, row }), columns: null }
  const header = columns === null ? await readCsvHeader(from(0)) : { columns, byte }
  return { rows: readCsv(from(header.byte), header.columns, { byte: header.byte, row }), columns: header.columns }
}

/** Blocks have one size but the last. */
async function* inputFrom(pool: Pool, claim: OperationClaim, byte: number, blockBytes: number): AsyncGenerator<Buffer> {
  let number = Math.floor(byte / blockBytes)
  let skip = byte % blockBytes
  for (;;) {
    const blocks = await readOperationInput(pool, claim, number, blocksAtOnce)
    for (const block of blocks) {
      yield block.subarray(skip)
      skip = 0
    }
    number += blocks.length
    if (blocks.length < blocksAtOnce) return
  }
}

async function take(rows: AsyncGenerator<ReadRow>, count: number): Promise<ReadRow[]> {
  const batch: ReadRow[] = []
  while (batch.length < count) {
    const { value, done } = await rows.next()
    if (done) break
    batch.push(value)
  }
  return batch
}

/** A rehearsal that goes on in another process reads again what it has met. */
async function meetAgain(pool: Pool, claim: OperationClaim, at: Checkpoint, met: Set<string>): Promise<void> {
  const { rows } = await openRows(pool, claim, { byte: 0, row: 0, columns: null })
  for await (const { next, value } of rows) {
    if (next.row > at.row) return
    const { iccid } = (value ?? {}) as { iccid?: unknown }
    if (typeof iccid === 'string') met.add(iccid)
  }
}

interface Batch {
  readonly request: ImportRequest
  readonly batch: readonly ReadRow[]
  readonly columns: string[] | null
  readonly met: Set<string>
}

interface Seed {
  readonly row: number
  readonly device: DeviceSeed
}

async function writeBatch(
  pool: Pool,
  claim: OperationClaim,
  { request, batch, columns, met }: Batch,
): Promise<{ claim: OperationClaim; touched: Touched }> {
  const { organizationId } = claim
  const checked = batch.map((row) => checkRow(row, request))
  const seeds: Seed[] = []
  const unique: NewFault[] = []
  const here = new Set<string>()
  for (const { seed } of checked) {
    if (seed === null) continue
    const { iccid } = seed.device
    if (here.has(iccid) || (claim.validateOnly && met.has(iccid)))
      unique.push({ row: seed.row, pointer: '/iccid', message: 'is in a row before' })
    else seeds.push(seed)
    here.add(iccid)
  }
  const found = [...checked.flatMap(({ faults }) => faults), ...unique]
  const next = batch.at(-1)?.next ?? { byte: 0, row: 0 }
  const result = await inTenantTransaction(pool, organizationId, async (tx) => {
    const done = await writeSeeds(tx, claim, request, seeds)
    const faults = [...found, ...done.faults].toSorted((a, b) => a.row - b.row)
    const failed = new Set(faults.map(({ row }) => row)).size
    const at = checkpointOf(claim)
    const kept = await addOperationFaults(tx, claim, at.faults, faults)
    const checkpoint: Checkpoint = {
      ...next,
      columns,
      faults: kept,
      created: at.created + done.created,
      updated: at.updated + done.updated,
      skipped: at.skipped + done.skipped,
    }
    const step = { checkpoint: { ...checkpoint }, processed: batch.length, succeeded: batch.length - failed, failed }
    return { claim: await advanceOperation(tx, claim, step), touched: done.touched }
  })
  for (const iccid of here) met.add(iccid)
  return result
}

interface Done {
  readonly created: number
  readonly updated: number
  readonly skipped: number
  readonly faults: readonly NewFault[]
  readonly touched: Touched
}

const nobody: Touched = { gateways: [], concentrators: [] }

async function writeSeeds(
  tx: TenantSql,
  claim: OperationClaim,
  request: ImportRequest,
  seeds: readonly Seed[],
): Promise<Done> {
  const { organizationId, createdBy: by, validateOnly } = claim
  const { onExisting } = request
  const rowOf = new Map(seeds.map(({ row, device }) => [device.iccid, row]))
  const faultOf = (iccid: string, pointer: string, message: string): NewFault => ({
    row: rowOf.get(iccid) ?? 0,
    pointer,
    message,
  })
  const faults: NewFault[] = []
  const named = [...new Set(seeds.flatMap(({ device }) => device.networkId ?? []))]
  const networks = await lockNetworks(tx, organizationId, named)
  const known = await findDevicesByIccid(tx, organizationId, [...rowOf.keys()])
  const sound = seeds.filter(({ device: { iccid, networkId } }) => {
    const there = known.get(iccid)
    const message =
      there && onExisting !== 'update'
        ? onExisting === 'fail' && 'belongs to another device'
        : networkId !== undefined && wrongNetwork(networkId, networks, there)
    if (message) faults.push(faultOf(iccid, there && onExisting === 'fail' ? '/iccid' : '/networkId', message))
    return !message
  })
  const fresh = sound.filter(({ device }) => !known.has(device.iccid))
  const kept = sound.filter(({ device }) => known.has(device.iccid))
  if (validateOnly) {
    const isUpdate = onExisting === 'update'
    const [updated, skipped] = isUpdate ? [kept.length, 0] : [0, kept.length]
    return { created: fresh.length, updated, skipped, faults, touched: nobody }
  }
  const made = await register(tx, claim, request, fresh)
  for (const { device } of fresh) {
    if (made.unaddressed.has(device.iccid)) faults.push(faultOf(device.iccid, '', 'the network has no free address'))
    else if (!made.created.has(device.iccid)) faults.push(faultOf(device.iccid, '/iccid', 'belongs to another device'))
  }
  const wanted = new Map(kept.map(({ device }) => [known.get(device.iccid)?.id ?? '', device]))
  const changed =
    onExisting === 'update' && kept.length > 0
      ? await changeDevices(tx, { organizationId, ids: [...wanted.keys()], by }, ({ id }) => changeOf(wanted.get(id)))
      : { changed: 0, touched: nobody }
  const { changed: updated, touched } = changed
  return { created: made.created.size, updated, skipped: kept.length - updated, faults, touched }
}

/** A device keeps its address, and so its network. @returns what is wrong with the network that a row names */
function wrongNetwork(
  networkId: string,
  networks: ReadonlySet<string>,
  there: KnownDevice | undefined,
): string | false {
  if (!networks.has(networkId)) return 'is no network of this organization'
  return there !== undefined && there.networkId !== networkId && 'is not the network that the device is in'
}

/** Each into the network that its row names, else into that of the import; one network after the other, in order of their ids. */
async function register(
  tx: TenantSql,
  { organizationId, createdBy: by }: OperationClaim,
  { networkId: ofAll, zone, pool6Prefix }: ImportRequest,
  fresh: readonly Seed[],
): Promise<{ created: ReadonlySet<string>; unaddressed: ReadonlySet<string> }> {
  const [created, unaddressed] = [new Set<string>(), new Set<string>()]
  const isAnyUnnamed = fresh.some(({ device }) => device.networkId === undefined)
  const usual = isAnyUnnamed
    ? (ofAll ?? (await ensureNetwork(tx, { organizationId, name: 'default', pool6Prefix, by })))
    : null
  const byNetwork = Map.groupBy(fresh, ({ device }) => device.networkId ?? usual)
  for (const [networkId, seeds] of [...byNetwork].toSorted(([a], [b]) => ((a ?? '') < (b ?? '') ? -1 : 1))) {
    const devices = seeds.map(({ device }) => device)
    const made =
      networkId === null
        ? { created: [], unaddressed: devices.map(({ iccid }) => iccid) }
        : await createDevices(tx, { organizationId, networkId, zone, by }, devices)
    for (const iccid of made.created) created.add(iccid)
    for (const iccid of made.unaddressed) unaddressed.add(iccid)
  }
  return { created, unaddressed }
}

/** What a row does not name stays. */
function changeOf(device: DeviceSeed | undefined): DeviceChange {
  const { iccid: _iccid, networkId: _networkId, ...change } = device ?? { iccid: '' }
  return change as DeviceChange
}

function checkRow(
  { next: { row }, value, fault }: ReadRow,
  { servicePrefix, withheldTags = [] }: Pick<ImportRequest, 'servicePrefix'> & Partial<ImportRequest>,
): { seed: Seed | null; faults: NewFault[] } {
  if (fault !== null) return { seed: null, faults: [{ row, pointer: '', message: fault }] }
  if (!deviceSchema.Check(value)) {
    const faults = schemaFaults(deviceSchema.Errors(value) as unknown as object[], value)
    return {
      seed: null,
      faults: faults.map(({ pointer, message }) => ({ row, pointer: storable(pointer), message: storable(message) })),
    }
  }
  const given = value as DeviceSeed
  const lans = given.lanPrefixes?.map((text) => canonicalCidr(text) ?? text)
  const faults = (lans ?? []).flatMap((prefix, index): NewFault[] => {
    const message = lanPrefixFault(prefix, [innerAddressRange, servicePrefix])
    return message === null ? [] : [{ row, pointer: `/lanPrefixes/${index}`, message }]
  })
  for (const [index, tag] of (given.tags ?? []).entries())
    if (withheldTags.includes(tag))
      faults.push({ row, pointer: `/tags/${index}`, message: 'opens the device to who asked for the import' })
  if (faults.length > 0) return { seed: null, faults }
  return { seed: { row, device: lans === undefined ? given : { ...given, lanPrefixes: [...new Set(lans)] } }, faults }
}

/** Names of fields come from the row: PostgreSQL holds no NUL and no half of a pair. */
function storable(text: string): string {
  return text.replaceAll('\0', '\ufffd').toWellFormed().slice(0, 500)
}
