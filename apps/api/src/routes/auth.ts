/**
 * /v1/auth: a person goes to the identity provider, comes back, and gets an access token and a refresh token. Everything here is
 * public: who calls proves itself by what it brings. Tokens are in bodies only, never in URLs or logs.
 */
import { DomainError, LoginQuery, LogoutInput, TokenInput, type IssuedTokens } from '@culvert/contracts'
import {
  endSession,
  newId,
  organizationsOf,
  recognizePerson,
  refreshSession,
  startSession,
  type Author,
} from '@culvert/db'
import {
  accessTokenLifetimeSec,
  loginLifetimeSec,
  LoginRefused,
  makeRefreshToken,
  openLoginState,
  ProviderUnavailable,
  readRefreshToken,
  sealLoginState,
  signAccessToken,
} from '@culvert/identity'
import type { FastifyRequest } from 'fastify'
import { randomUUID } from 'node:crypto'
import { Type } from 'typebox'
import type { Api, ApiContext } from '../context.ts'
import type { Login } from '../login.ts'
import { empty, json, problemsWithoutKey } from '../responses.ts'

const tags = ['login']
const security: [] = []
const config = { permission: 'public' } as const
const held = { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }

export function authRoutes(api: Api, context: ApiContext): void {
  atProvider(api, context)
  tokens(api, context)
}

/** Outside of /v1, where others look for it. */
export function keyRoutes(api: Api, context: Pick<ApiContext, 'login'>): void {
  api.get(
    '/.well-known/jwks.json',
    {
      schema: {
        operationId: 'getKeys',
        summary: 'Public keys that access tokens are signed with, as a JWK Set (RFC 7517)',
        tags,
        security,
        response: {
          200: json(
            Type.Object(
              { keys: Type.Array(Type.Record(Type.String(), Type.Unknown())) },
              { 'x-example': { keys: [] } },
            ),
            'The keys; none where people cannot log in.',
          ),
        },
      },
    },
    async (_request, reply) => {
      reply.header('cache-control', 'public, max-age=300')
      return { keys: (await context.login?.ring.published()) ?? [] }
    },
  )
}

function atProvider(api: Api, { pool, login }: ApiContext): void {
  api.get(
    '/auth/login',
    {
      config,
      schema: {
        operationId: 'logIn',
        summary: 'Go to the identity provider; for browsers',
        description:
          'Who was invited says so with `invitation`: no login accepts an invitation by itself. The address that was invited must be the one that the provider has verified.',
        tags,
        security,
        querystring: LoginQuery,
        response: {
          302: empty('To the identity provider.'),
          ...problemsWithoutKey('login_off', 'identity_provider_unavailable'),
        },
      },
    },
    async ({ query: { invitation = null } }, reply) => {
      const { provider, keys, isSecure } = required(login)
      const { url, login: state } = await provider.begin().catch(refuse)
      const sealed = await sealLoginState({ ...state, invitation }, keys.loginState, Math.floor(Date.now() / 1_000))
      return reply.headers({ ...held, 'set-cookie': cookie(isSecure, sealed, loginLifetimeSec) }).redirect(url.href)
    },
  )

  api.get(
    '/auth/callback',
    {
      config,
      schema: {
        operationId: 'finishLogin',
        summary: 'Where the identity provider sends the browser back to',
        tags,
        security,
        response: {
          200: json(Type.Ref('IssuedTokens'), 'Logged in.'),
          ...problemsWithoutKey('login_off', 'login_refused', 'no_membership', 'identity_provider_unavailable'),
        },
      },
    },
    async (request, reply) => {
      const { provider, keys, isSecure, parties, ring } = required(login)
      reply.headers({ ...held, 'set-cookie': cookie(isSecure, '', 0) })
      const sealed = readCookie(request, cookieName(isSecure))
      const state = sealed === null ? null : await openLoginState(sealed, keys.loginState, new Date())
      if (!state) throw new DomainError('login_refused')
      const query = request.raw.url?.split('?')[1] ?? ''
      const person = await provider.finish(query, state).catch(refuse)
      const from = originOf(request)
      const known = await recognizePerson(pool, { ...person, invitation: state.invitation }, from)
      if (known === 'no_membership') throw new DomainError('no_membership')
      const sessionId = newId('ses')
      const { token, secretHash } = makeRefreshToken(keys.refreshTokens, sessionId, 1)
      const { userId, organizationIds } = known
      const session = { id: sessionId, userId, organizationIds, refreshHash: secretHash }
      const organizationId = await startSession(pool, session, from)
      const accessToken = await issue({ parties, ring }, { subject: userId, organizationId, sessionId })
      return issued({ accessToken, refreshToken: token, organizationId, organizationIds })
    },
  )
}

function tokens(api: Api, { pool, login }: ApiContext): void {
  api.post(
    '/auth/token',
    {
      config,
      schema: {
        operationId: 'refreshToken',
        summary: 'Get a new access token, for the same organization or another one',
        description: 'The refresh token is good once: keep the one in the answer.',
        tags,
        security,
        body: TokenInput,
        response: {
          200: json(Type.Ref('IssuedTokens'), 'New tokens.'),
          ...problemsWithoutKey('login_off', 'session_ended', 'not_found'),
        },
      },
    },
    async (request, reply) => {
      const { keys, parties, ring } = required(login)
      const { refreshToken, organizationId: wanted = null } = request.body
      const presented = readRefreshToken(keys.refreshTokens, refreshToken)
      if (!presented) throw new DomainError('session_ended')
      const { sessionId, generation } = presented
      const next = makeRefreshToken(keys.refreshTokens, sessionId, generation + 1)
      const change = { next: next.secretHash, wanted }
      const refreshed = await refreshSession(pool, presented, change, originOf(request))
      if (refreshed === 'ended') throw new DomainError('session_ended')
      if (refreshed === 'not_member') throw new DomainError('not_found')
      const { userId, organizationId } = refreshed
      const accessToken = await issue({ parties, ring }, { subject: userId, organizationId, sessionId })
      const organizationIds = await organizationsOf(pool, userId)
      return reply
        .headers(held)
        .send(issued({ accessToken, refreshToken: next.token, organizationId, organizationIds }))
    },
  )

  api.post(
    '/auth/logout',
    {
      config,
      schema: {
        operationId: 'logOut',
        summary: 'End the session; its access tokens are refused at once',
        tags,
        security,
        body: LogoutInput,
        response: { 204: empty('Ended, if it had not before.'), ...problemsWithoutKey('login_off') },
      },
    },
    async (request, reply) => {
      const presented = readRefreshToken(required(login).keys.refreshTokens, request.body.refreshToken)
      if (presented) await endSession(pool, presented, originOf(request))
      return reply.code(204).send(null)
    },
  )
}

function required(login: Login | null): Login {
  if (!login) throw new DomainError('login_off')
  return login
}

function refuse(error: unknown): never {
  if (error instanceof ProviderUnavailable)
    throw new DomainError('identity_provider_unavailable', { retryAfterSec: 10, cause: error })
  if (error instanceof LoginRefused) throw new DomainError('login_refused', { cause: error })
  throw error
}

function originOf(request: FastifyRequest): Pick<Author, 'requestId' | 'address'> {
  return { requestId: request.id, address: request.ip }
}

async function issue(
  { parties, ring }: Pick<Login, 'parties' | 'ring'>,
  claims: { subject: string; organizationId: string; sessionId: string },
): Promise<string> {
  const times = { tokenId: randomUUID(), nowSec: Math.floor(Date.now() / 1_000) }
  return signAccessToken(claims, parties, await ring.signer(), times)
}

function issued(
  tokens: Pick<IssuedTokens, 'accessToken' | 'refreshToken' | 'organizationId'> & {
    organizationIds: readonly string[]
  },
): IssuedTokens {
  return {
    ...tokens,
    organizationIds: [...tokens.organizationIds],
    tokenType: 'Bearer',
    expiresInSec: accessTokenLifetimeSec,
  }
}

/** `__Host-` keeps another host or path from setting it (RFC 6265bis 4.1.3.2). Lax: the provider sends the browser back by a link. */
function cookie(isSecure: boolean, value: string, maxAgeSec: number): string {
  const secure = isSecure ? '; Secure' : ''
  return `${cookieName(isSecure)}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAgeSec}${secure}`
}

function cookieName(isSecure: boolean): string {
  return isSecure ? '__Host-culvert_login' : 'culvert_login'
}

function readCookie({ headers }: Pick<FastifyRequest, 'headers'>, name: string): string | null {
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='))
  return pairs.find(([key]) => key === name)?.[1] ?? null
}
