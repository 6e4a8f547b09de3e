/**
 * Access tokens: JWTs as of RFC 9068 (`typ: at+jwt`), signed with ES256 and nothing else. Verifying pins the algorithm, the type,
 * the issuer and the audience, and takes the key by its `kid` from those that the caller has (RFC 8725 3.1, 3.8, 3.9, 3.11). A
 * good token says who somebody was when it was made; whether that still holds is asked of the database at every call.
 */
import { jwtVerify, SignJWT, type CryptoKey, type JWTPayload } from 'jose'

export const accessTokenAlgorithm = 'ES256'
/** Seconds for which a token is good. */
export const accessTokenLifetimeSec = 600
/** Seconds by which two clocks may differ. */
export const clockSkewSec = 5

export interface AccessTokenClaims {
  /** Id of the person. */
  readonly subject: string
  readonly organizationId: string
  readonly sessionId: string
}

export interface TokenParties {
  /** Our public URL. */
  readonly issuer: string
  /** Who the token is for: the API. */
  readonly audience: string
}

export interface SigningKey {
  readonly kid: string
  readonly privateKey: CryptoKey
}

/** @param tokenId differs for every token. @param nowSec seconds since 1970 */
export function signAccessToken(
  claims: AccessTokenClaims,
  parties: TokenParties,
  key: SigningKey,
  { tokenId, nowSec }: { tokenId: string; nowSec: number },
): Promise<string> {
  return new SignJWT({ org: claims.organizationId, sid: claims.sessionId, client_id: parties.audience })
    .setProtectedHeader({ alg: accessTokenAlgorithm, typ: 'at+jwt', kid: key.kid })
    .setIssuer(parties.issuer)
    .setAudience(parties.audience)
    .setSubject(claims.subject)
    .setJti(tokenId)
    .setIssuedAt(nowSec)
    .setExpirationTime(nowSec + accessTokenLifetimeSec)
    .sign(key.privateKey)
}

export interface VerifiedAccessToken extends AccessTokenClaims {
  readonly kid: string
}

/** A SHA-256 thumbprint in base64url. */
const kidShape = /^[A-Za-z0-9_-]{43}$/
const idShape = /^[a-z]{3}_[a-z2-7]{20}$/
/** Octets; a token of ours has about 600. */
const longestToken = 2_048

/**
 * @param findKey the public key with this `kid`, null when there is none
 * @returns null for everything that is not a token of ours that is good now: nobody is told why
 */
export async function verifyAccessToken(
  token: string,
  parties: TokenParties,
  findKey: (kid: string) => Promise<CryptoKey | null>,
  now: Date,
): Promise<VerifiedAccessToken | null> {
  if (token.length > longestToken || !/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/.test(token)) return null
  try {
    const { payload, protectedHeader } = await jwtVerify(
      token,
      async ({ kid }) => {
        const key = typeof kid === 'string' && kidShape.test(kid) ? await findKey(kid) : null
        if (!key) throw new UnknownKey()
        return key
      },
      {
        algorithms: [accessTokenAlgorithm],
        typ: 'at+jwt',
        issuer: parties.issuer,
        audience: parties.audience,
        requiredClaims: ['sub', 'org', 'sid', 'jti', 'iat', 'exp'],
        maxTokenAge: accessTokenLifetimeSec,
        clockTolerance: clockSkewSec,
        currentDate: now,
      },
    )
    const claims = claimsOf(payload)
    return claims && { ...claims, kid: protectedHeader.kid as string }
  } catch (error) {
    if (isTokenFault(error)) return null
    throw error
  }
}

class UnknownKey extends Error {}

function claimsOf({ sub, org, sid }: JWTPayload): AccessTokenClaims | null {
  const sound = [sub, org, sid].every((id) => typeof id === 'string' && idShape.test(id))
  return sound ? { subject: sub as string, organizationId: org as string, sessionId: sid as string } : null
}

/** Errors of the token, as against those of who looks for the key, such as a database that is away. */
function isTokenFault(error: unknown): boolean {
  if (error instanceof UnknownKey) return true
  const { code } = (error ?? {}) as { code?: unknown }
  return typeof code === 'string' && code.startsWith('ERR_J')
}
