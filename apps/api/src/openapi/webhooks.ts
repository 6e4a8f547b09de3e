/** The `webhooks` section: one operation per type of the event catalogue, delivered as Standard Webhooks says. */
import { eventCatalogue, eventSchema, eventTypes } from '@culvert/contracts'

const signed = '`{webhook-id}.{webhook-timestamp}.{raw body}`'

const parameters = [
  {
    name: 'webhook-id',
    description: 'Id of the event, the same at every attempt: process each only once.',
    schema: { type: 'string' },
    example: 'evt_ajaic76ztpqad76h2tn2',
  },
  {
    name: 'webhook-timestamp',
    description: 'Unix time in seconds of this attempt: refuse what is more than five minutes away.',
    schema: { type: 'integer' },
    example: 1_795_205_450,
  },
  {
    name: 'webhook-signature',
    description: `Signatures over ${signed}, separated by spaces; one that fits is enough. \`v1,\` is HMAC-SHA256 in base64, \`v1a,\` is Ed25519.`,
    schema: { type: 'string' },
    example: 'v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=',
  },
].map((parameter) => ({ ...parameter, in: 'header', required: true }))

const responses = {
  '2XX': { description: 'Taken. Anything else, or no answer within 15 seconds, is tried again later.' },
  '410': { description: 'Gone: the endpoint is switched off.' },
}

export const webhooks = Object.fromEntries(
  eventTypes.map((type) => {
    const { summary } = eventCatalogue[type]
    const schema: unknown = JSON.parse(JSON.stringify(eventSchema(type)))
    const requestBody = { required: true, content: { 'application/json': { schema } } }
    const operationId = `on${type.replaceAll(/(?:^|\.)([a-z])/g, (_, letter: string) => letter.toUpperCase())}`
    return [
      type,
      { post: { operationId, summary, tags: ['events'], security: [], parameters, requestBody, responses } },
    ]
  }),
)
