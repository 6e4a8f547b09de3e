/** What any call may be answered, whatever its route: said of every operation, so that no answer is undocumented. */
import type { ErrorCode } from '@culvert/contracts'
import type { Api } from '../context.ts'
import { withProblems } from '../responses.ts'

const ofAny: readonly ErrorCode[] = ['malformed_request', 'request_timeout', 'uri_too_long', 'headers_too_large']
const ofBodies: readonly ErrorCode[] = ['payload_too_large', 'unsupported_media_type']

export function commonProblems(v1: Api): void {
  v1.addHook('onRoute', (route) => {
    const codes = route.schema?.body === undefined ? ofAny : [...ofAny, ...ofBodies]
    route.schema = { ...route.schema, response: withProblems(route.schema?.response, codes) }
  })
}
