import type { JWTPayload } from 'jose'
import { type Clock, printable } from '#base'
import type { Workload, WorkloadSource } from '../auth/index.ts'
import { matchesPattern } from '../pattern/index.ts'
import { createIssuerKeys, type IssuerKeys, type IssuerPlace, verifyIssued } from './issuer-keys.ts'

/** Whose tokens are taken, and for whom. */
export interface WorkloadRule extends IssuerPlace {
  /** What the token must be for (aud). */
  audience: string
  /** Claims that it must have, each with a pattern: `*` stands for anything but `/` and `:`, `**` for anything. */
  when: Readonly<Record<string, string>>
  /** The robot that its holder logs in as. */
  as: string
  /** Milliseconds. */
  lifetime: number
}

const LONGEST = 16 * 1024

/**
 * Takes tokens of those issuers whom the rules name. One that is shown again gives the same again, until its end.
 */
export function createWorkloads({
  rules,
  clock,
}: {
  rules: readonly WorkloadRule[]
  clock: Clock
}): WorkloadSource & AsyncDisposable {
  const issuers = new Map<string, IssuerKeys>()
  for (const { issuer, ca } of rules) {
    if (!issuers.has(issuer)) issuers.set(issuer, createIssuerKeys({ issuer, ca }, clock))
  }

  /** The claims, if it is genuine and its time is now. */
  async function claimsOf(token: string): Promise<JWTPayload | undefined> {
    const { decodeJwt, errors } = await import('jose')
    try {
      // What it says of itself decides only whose keys, of those that are configured, it is tried with.
      const issuer = decodeJwt(token).iss ?? ''
      const keys = issuers.get(issuer)
      if (!keys) return undefined
      const audience = rules.filter((rule) => rule.issuer === issuer).map((rule) => rule.audience)
      return await verifyIssued(token, keys, { issuer, audience, claims: [], clock })
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined
      throw error
    }
  }

  return {
    async verify(token) {
      const claims = token.length <= LONGEST ? await claimsOf(token) : undefined
      const rule = claims && rules.find((one) => isFor(one, claims))
      return rule && workloadOf(rule, claims)
    },
    async [Symbol.asyncDispose]() {
      for (const keys of issuers.values()) await keys[Symbol.asyncDispose]()
    },
  }
}

function workloadOf({ as, lifetime }: WorkloadRule, { iss, sub = '' }: JWTPayload): Workload {
  return { robot: as, lifetime, name: printable(`${iss} ${sub}`.trim(), 300) }
}

function isFor({ issuer, audience, when }: WorkloadRule, claims: JWTPayload): boolean {
  if (claims.iss !== issuer || ![claims.aud].flat().includes(audience)) return false
  return Object.entries(when).every(([name, pattern]) =>
    valuesOf(claims, name).some((value) => matchesPattern(pattern, value, '/:')),
  )
}

/** Of a list, each. What is neither text, number nor truth value is compared with nothing. */
function valuesOf(claims: JWTPayload, name: string): string[] {
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined
  return [value]
    .flat()
    .filter((one) => ['string', 'number', 'boolean'].includes(typeof one))
    .map(String)
}
