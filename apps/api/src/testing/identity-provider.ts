/** A real OpenID Connect provider on this machine, and a browser without a screen that logs in at it. */
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider from 'oidc-provider'

export interface Person {
  readonly email?: string
  readonly email_verified?: boolean
  readonly name?: string
}

export interface TestProvider {
  readonly issuer: string
  /** By the name that is typed into the login form, which is the subject too. */
  readonly people: Map<string, Person>
  /** Answers every call with 503 while true. */
  isAway: boolean
  /** Goes where the API sent the browser, logs in as this person. @returns the path and query that the browser is sent back to */
  logInAt(url: string, name: string): Promise<string>
  close(): Promise<void>
}

export const clientId = 'culvert'
export const clientSecret = 'a-secret-of-the-client-for-tests'

export async function startProvider(redirectUri: string): Promise<TestProvider> {
  const server = http.createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const people = new Map<string, Person>()
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code'],
        response_types: ['code'],
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    pkce: { required: () => true },
    cookies: { keys: ['only-for-tests'] },
    ttl: { Session: 600, Interaction: 600, Grant: 600, AccessToken: 600, AuthorizationCode: 60, IdToken: 600 },
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: async () => ({ sub, ...people.get(sub) }) }),
  })
  const handle = provider.callback()
  const state = { isAway: false }
  server.on('request', (request, response) => {
    if (state.isAway) response.writeHead(503).end()
    else void handle(request, response)
  })
  return {
    issuer,
    people,
    get isAway() {
      return state.isAway
    },
    set isAway(value) {
      state.isAway = value
    },
    logInAt: (url, name) => browse(url, name, redirectUri),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Follows links, fills in the provider's own login and consent forms, keeps its cookies, and stops where it would leave it. */
async function browse(start: string, name: string, redirectUri: string): Promise<string> {
  const jar = new Map<string, string>()
  let request: { url: string; form?: URLSearchParams } = { url: start }
  for (let step = 0; step < 20; step++) {
    const answer = await fetch(request.url, {
      redirect: 'manual',
      headers: { cookie: [...jar].map(([key, value]) => `${key}=${value}`).join('; ') },
      ...(request.form ? { method: 'POST', body: request.form } : {}),
    })
    for (const line of answer.headers.getSetCookie()) {
      const [key = '', value = ''] = (line.split(';')[0] ?? '').split(/=(.*)/s)
      jar.set(key, value)
    }
    const location = answer.headers.get('location')
    if (location !== null) {
      const next = new URL(location, request.url)
      if (next.href.startsWith(redirectUri)) return `${next.pathname}${next.search}`
      request = { url: next.href }
      continue
    }
    const page = await answer.text()
    const action = /<form[^>]* action="([^"]+)"/.exec(page)?.[1]
    if (!action) throw new Error(`the provider shows ${answer.status}: ${page.slice(0, 500)}`)
    const isLogin = page.includes('name="login"')
    const form = new URLSearchParams(isLogin ? { prompt: 'login', login: name, password: 'x' } : { prompt: 'consent' })
    request = { url: new URL(action, request.url).href, form }
  }
  throw new Error('the login goes in circles')
}
