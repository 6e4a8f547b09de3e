/** /v1/devices/{deviceId}/config: what to give to the device, for the software it runs. */
import { ConfigQuery, DeviceId, DomainError } from '@culvert/contracts'
import { findDevice } from '@culvert/db'
import { Type, type TSchema } from 'typebox'
import type { Api, ApiContext } from '../context.ts'
import { configurationModel, renderOrRefuse } from '../device-configuration.ts'
import { problems } from '../responses.ts'

const params = Type.Object({ deviceId: DeviceId }, { additionalProperties: false })

/** Media types of the targets. */
const configuration = {
  description: 'The configuration, to be pasted or installed.',
  content: {
    'text/plain': { schema: Type.String(), example: 'connections {\n  culvert { ... }\n}\nsecrets { ... }\n' },
    'application/json': { schema: Type.Ref('DeviceConfiguration') },
    'application/x-apple-aspen-config': { schema: Type.String(), example: '<plist version="1.0">...</plist>\n' },
    'application/vnd.strongswan.profile': { schema: Type.String(), example: '{ "type": "ikev2-eap", ... }\n' },
  },
} as unknown as TSchema

export function deviceConfigRoutes(api: Api, context: ApiContext): void {
  api.get(
    '/devices/:deviceId/config',
    {
      config: { permission: 'devices:read' },
      schema: {
        operationId: 'getDeviceConfig',
        summary: 'Configuration for the device, with a marker where the secret goes',
        description:
          'A secret cannot be read back: put what was shown when the credential was issued in the place of the marker, or make a one-time link, which gives the whole with a new secret in it.',
        tags: ['devices'],
        params,
        querystring: ConfigQuery,
        response: { 200: configuration, ...problems('not_found', 'no_concentrator', 'config_not_possible') },
      },
    },
    async ({ organizationId, params: { deviceId }, query }, reply) => {
      const device = await findDevice(context.pool, organizationId, deviceId)
      if (!device) throw new DomainError('not_found')
      const { text, mediaType, fileName } = renderOrRefuse(
        query.target,
        await configurationModel(context, device, query.auth),
      )
      return reply.type(mediaType).header('content-disposition', `inline; filename="${fileName}"`).send(text)
    },
  )
}
