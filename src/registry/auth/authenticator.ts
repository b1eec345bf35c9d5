import { createHash, randomUUID } from 'node:crypto'
import { BaleError, type Clock } from '#base'
import type { AccessToken, Account, MetaStore } from '../meta/index.ts'
import type { Limit, Principal } from './access.ts'
import { hashOfSecret } from './access-tokens.ts'
import { isJwt, readBasic, WORKLOAD_USER } from './basic-login.ts'
import type { DirectoryLogins } from './directory-logins.ts'
import { createHashQueue } from './hash-queue.ts'
import type { WorkloadSource } from './login-source.ts'
import { verifyPassword } from './password.ts'
import type { RefreshTokens } from './refresh-tokens.ts'
import { createFamiliar, createMemory } from './remembered-logins.ts'
import type { TokenIssuer } from './token-issuer.ts'

export type Authentication =
  | { kind: 'known'; principal: Principal }
  /** Nothing was shown. */
  | { kind: 'anonymous' }
  /** Something was shown, and it is not right: a password for this name, or something else. */
  | { kind: 'refused'; name?: string }
  | { kind: 'limited'; seconds: number; name: string }
  /** Too many passwords are being checked. */
  | { kind: 'busy' }

export interface Authenticator {
  /** Reads an Authorization header: a password (Basic) or a token of ours (Bearer). */
  authenticate(header: string | undefined, address: string): Promise<Authentication>
  /** Checks a name and password; `limited` after too many failures, those under way included. */
  checkPassword(name: string, password: string, address: string): Promise<Authentication>
  /** Checks what a client was given for its password. It cannot be guessed, so that failures are not counted. */
  checkRefreshToken(secret: string): Promise<Authentication>
  /** Checks a token of a CI service. Neither can this be guessed. */
  checkWorkload(token: string): Promise<Authentication>
  /** The account as it is now, if where it comes from still knows it. */
  present(account: Account): Promise<Account | undefined>
}

/** Tries within a minute, at all processes of the registry together. */
const LIMITS = { account: 10, address: 100 }
const PERIOD = 60_000
const REMEMBER_FOR = 300_000

export function createAuthenticator(parts: {
  meta: MetaStore
  tokens: TokenIssuer
  refreshTokens: RefreshTokens
  directory: DirectoryLogins
  /** What the accounts of the provider are marked with. */
  providerOrigin: string | undefined
  workloads: WorkloadSource | undefined
  report: (failure: unknown, what: string) => void
  clock: Clock
}): Authenticator {
  const { meta, tokens, refreshTokens, directory, providerOrigin, workloads, report, clock } = parts
  const remembered = createMemory(clock)
  const queue = createHashQueue()
  // A directory that is slow to answer takes no places from those who have their password here.
  const directoryQueue = createHashQueue()
  const familiar = createFamiliar()
  const underWay = new Map<string, Promise<Authentication>>()

  async function checkPassword(name: string, password: string, address: string): Promise<Authentication> {
    if (name === WORKLOAD_USER && workloads && isJwt(password)) return await checkWorkload(password)
    const withToken = await checkAccessToken(name, password)
    if (withToken) return withToken
    const account = await meta.findAccount({ name })
    if (account && remembered.knows(account, password)) return { kind: 'known', principal: { account } }
    // A client often asks for several things at once, each time with its password: that counts as one attempt.
    const same = JSON.stringify([name, password, address])
    const running = underWay.get(same)
    if (running) return await running
    const checking = tryPassword(name, password, address, account)
    underWay.set(same, checking)
    try {
      return await checking
    } finally {
      underWay.delete(same)
    }
  }

  /** Their secrets cannot be guessed: the right one is not counted, and a wrong one is a wrong password. */
  async function checkAccessToken(name: string, secret: string): Promise<Authentication | undefined> {
    const hash = hashOfSecret(secret)
    const found = hash === undefined ? undefined : await meta.useAccessToken({ hash })
    if (found?.account.name !== name) return undefined
    const account = await present(found.account)
    return account ? { kind: 'known', principal: { account, limit: limitOf(found.token) } } : { kind: 'refused', name }
  }

  async function checkWorkload(token: string): Promise<Authentication> {
    const workload = await workloads?.verify(token)
    if (!workload) return { kind: 'refused', name: WORKLOAD_USER }
    const account = await meta.findAccount({ name: workload.robot })
    if (account?.kind === 'robot') return { kind: 'known', principal: { account, workload } }
    report(noRobot(workload.robot), 'the login of a workload')
    return { kind: 'refused', name: WORKLOAD_USER }
  }

  /** Of a directory's accounts, those that are still there. A provider is not asked without the person: what it said counts until it ends. */
  async function present(account: Account): Promise<Account | undefined> {
    const isKnown = account.origin === undefined || account.origin === providerOrigin
    return isKnown ? account : await directory.current(account)
  }

  /**
   * A try is counted before its hash is made, and refunded if the password was right. A user who has logged in from an address is
   * not blocked by others' failures there, nor by guesses at the account from elsewhere.
   */
  async function tryPassword(
    name: string,
    password: string,
    address: string,
    account: Account | undefined,
  ): Promise<Authentication> {
    const known = account !== undefined && familiar.has(name, address)
    const isHere = account !== undefined && account.origin === undefined
    using place = (isHere || !directory.isThere ? queue : directoryQueue).enter(address, known)
    if (!place) return { kind: 'busy' }
    const limits = [
      { key: known ? keyOf('familiar', name, address) : keyOf('account', name), limit: LIMITS.account },
      ...(known ? [] : [{ key: keyOf('address', address), limit: LIMITS.address }]),
    ]
    const id = randomUUID()
    const counted = await meta.countAttempt(id, { limits, period: PERIOD })
    if (counted !== 'counted') return { kind: 'limited', seconds: Math.ceil(counted.wait / 1000), name }
    const keys = limits.map(({ key }) => key)
    let verified: Account | undefined
    try {
      verified = isHere ? await verifyHere(account, password) : await verifyElsewhere(name, password)
    } catch (error) {
      // Not the caller's mistake.
      await meta.giveBackAttempt(id, keys)
      throw error
    }
    if (!verified) return { kind: 'refused', name }
    await meta.giveBackAttempt(id, keys)
    familiar.add(name, address)
    remembered.add(verified, password, isHere ? REMEMBER_FOR : directory.rememberFor)
    return { kind: 'known', principal: { account: verified } }
  }

  async function verifyHere(account: Account, password: string): Promise<Account | undefined> {
    return (await verifyPassword(password, account.passwordHash)) ? account : undefined
  }

  /**
   * By the directory, and with the work of a hash, so that an unknown name looks like any other. It never sees our own secrets:
   * one that has ended would count as a wrong password there, and might lock its owner out.
   */
  async function verifyElsewhere(name: string, password: string): Promise<Account | undefined> {
    const isOurs = hashOfSecret(password) !== undefined
    const [account] = await Promise.all([
      isOurs ? undefined : directory.logIn(name, password),
      verifyPassword(password, undefined),
    ])
    return account
  }

  async function checkToken(token: string): Promise<Authentication> {
    const claims = await tokens.read(token)
    if (!claims) return { kind: 'refused' }
    const { subject, scopes } = claims
    if (!subject) return { kind: 'known', principal: { scopes } }
    const used = subject.accessToken === undefined ? undefined : await meta.useAccessToken({ id: subject.accessToken })
    const account = subject.accessToken === undefined ? await meta.findAccount({ id: subject.id }) : used?.account
    // The tokens of a removed user and those of before a change of the password end at once; rights are those of now.
    if (account?.id !== subject.id || account.generation !== subject.generation) return { kind: 'refused' }
    return { kind: 'known', principal: { account, limit: used && limitOf(used.token), scopes } }
  }

  return {
    checkPassword,
    checkWorkload,
    present,
    async checkRefreshToken(secret) {
      const used = await refreshTokens.use(secret)
      const account = used && (await present(used.account))
      if (!account) return { kind: 'refused' }
      return { kind: 'known', principal: { account, limit: used.token && limitOf(used.token) } }
    },
    async authenticate(header, address) {
      if (header === undefined) return { kind: 'anonymous' }
      const [scheme = '', value = ''] = header.split(/ +/, 2)
      if (scheme.toLowerCase() === 'bearer') return await checkToken(value)
      const login = scheme.toLowerCase() === 'basic' ? readBasic(value) : undefined
      return login ? await checkPassword(login.name, login.password, address) : { kind: 'refused' }
    },
  }
}

function limitOf({ id, pattern, role, expiresAt }: AccessToken): Limit {
  return { id, pattern, role, expiresAt }
}

/** Names that clients send may be anything: the database gets a hash of them. */
function keyOf(kind: string, ...parts: string[]): string {
  return createHash('sha256')
    .update(JSON.stringify([kind, ...parts]))
    .digest('hex')
}

function noRobot(name: string): BaleError {
  return new BaleError('INVALID_ARGUMENT', `a rule for workloads names the robot ${name}, which is not there`)
}
