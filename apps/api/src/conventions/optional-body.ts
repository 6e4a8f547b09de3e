/** A body whose schema says `x-optional` may be left out: it is as if it were `{}`. Routes know nothing of it. */
import type { Api } from '../context.ts'

export function optionalBody(v1: Api): void {
  v1.addHook('preValidation', (request, _reply, done) => {
    const body = request.routeOptions.schema?.body as { 'x-optional'?: boolean } | undefined
    if (body?.['x-optional'] === true && request.body === undefined) request.body = {}
    done()
  })
}
