/** The calls of the API by their path, with types of its OpenAPI document. */
import type { FetchResponse, MaybeOptionalInit } from 'openapi-fetch'
import type { paths } from './generated/api.ts'

type Method = 'get' | 'post' | 'patch' | 'delete'
export type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, object> ? P : never
}[keyof paths]
type OperationOf<M extends Method, P extends PathOf<M>> =
  paths[P] extends Record<M, infer O> ? Extract<O, Record<string | number, unknown>> : never
type Media = `${string}/${string}`

/** What a call answers with 2xx. */
export type AnswerOf<M extends Method, P extends PathOf<M>> = Extract<
  FetchResponse<OperationOf<M, P>, object, Media>,
  { data: unknown }
>['data']

/** What a call takes: `params`, `body`, `headers`, `signal`. */
export type InputOf<M extends Method, P extends PathOf<M>> = Exclude<MaybeOptionalInit<paths[P], M>, undefined>
export type InputArguments<M extends Method, P extends PathOf<M>> =
  undefined extends MaybeOptionalInit<paths[P], M> ? [input?: InputOf<M, P>] : [input: InputOf<M, P>]

type Call<M extends Method> = <P extends PathOf<M>>(path: P, ...input: InputArguments<M, P>) => Promise<AnswerOf<M, P>>

/** Paths of lists. */
export type ListPath = {
  [P in PathOf<'get'>]: AnswerOf<'get', P> extends { data: unknown[]; nextCursor: string | null } ? P : never
}[PathOf<'get'>]
export type ItemOf<P extends ListPath> = AnswerOf<'get', P> extends { data: (infer T)[] } ? T : never

export interface Calls {
  readonly get: Call<'get'>
  readonly post: Call<'post'>
  readonly patch: Call<'patch'>
  readonly delete: Call<'delete'>
}
