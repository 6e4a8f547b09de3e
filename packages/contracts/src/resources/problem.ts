/** REST: every error is one of these (RFC 9457), with `application/problem+json`. */
import { Type, type Static } from 'typebox'
import { errorCodes } from '../errors.ts'
import { oneOf } from '../fields.ts'

export const Problem = Type.Object(
  {
    type: Type.String({ format: 'uri-reference', description: 'A page about this code.' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    instance: Type.String({ description: 'The request, as a URN with its id.' }),
    code: oneOf(errorCodes, { description: 'Stable; decide by it.' }),
    requestId: Type.String({ description: 'Also in the `X-Request-Id` header; tell it when you report a fault.' }),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          in: oneOf(['body', 'query', 'path', 'header']),
          pointer: Type.String({ description: 'JSON pointer (RFC 6901) to the field.' }),
          message: Type.String(),
        }),
      ),
    ),
  },
  {
    $id: 'Problem',
    'x-example': {
      type: '/errors/validation_failed',
      title: 'The request has wrong fields',
      status: 400,
      detail: 'body /ttl is not known here.',
      instance: 'urn:request:req_20658994-cdbc-4e42-860e-69271ece5062',
      code: 'validation_failed',
      requestId: 'req_20658994-cdbc-4e42-860e-69271ece5062',
      errors: [{ in: 'body', pointer: '/ttl', message: 'is not known here' }],
    },
  },
)
export type Problem = Static<typeof Problem>
