/** Which kinds of operations there are, and who does them. */
import { deleteDevicesByFilter, updateDevicesByFilter } from './change-devices.ts'
import { importDevices } from './import-devices.ts'
import { replayWebhooks } from './replay-webhooks.ts'
import type { OperationHandlers } from './operation-handler.ts'

export const operationHandlers: OperationHandlers = new Map([
  ['device_import', importDevices],
  ['device_update', updateDevicesByFilter],
  ['device_delete', deleteDevicesByFilter],
  ['webhook_replay', replayWebhooks],
])
