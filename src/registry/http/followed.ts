import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Authentication, Authenticator } from '../auth/index.ts'
import type { RegistryContext } from './exchange.ts'

/** A request on its way, with what becomes known of it. */
export interface Followed {
  /** The context of this request: its reports name the request, its logins are noted. */
  context: RegistryContext
  /** Answers it, as part of its trace. */
  run(answer: () => Promise<void>): Promise<void>
  /** To be called when it is known which end point is asked. */
  isFor(route: string): void
  /** To be called when the answer is complete, or given up. */
  answered(): void
}

/** Short, and without anything that a log or a terminal could take for something else. */
const PLAIN_ID = /^[A-Za-z0-9._-]{1,64}$/

/** Gives a request its ID, which the answer names, and tells `observe` of it once its answer has ended. */
export function followRequest(context: RegistryContext, request: IncomingMessage, response: ServerResponse): Followed {
  const given = request.headers['x-request-id']
  const id = typeof given === 'string' && PLAIN_ID.test(given) ? given : randomUUID()
  response.setHeader('X-Request-Id', id)
  const report: RegistryContext['report'] = (failure, what) => context.report(failure, `${what} (request ${id})`)
  const { observe = () => undefined } = context
  const span = context.tracer?.begin(request)
  const { socket, method = '', url = '' } = request
  const began = performance.now()
  const seen = { time: context.clock.now(), id, method, path: pathOf(url), address: context.origin.address(request) }
  let [route, user, claimed, over]: [string?, string?, string?, boolean?] = []
  const end = () => {
    if (over) return
    over = true
    const ended = {
      ...seen,
      ...{ route, user, claimed },
      status: response.headersSent ? response.statusCode : undefined,
      ...bytesSinceLast(socket),
      milliseconds: performance.now() - began,
      aborted: !response.writableFinished,
    }
    observe({ kind: 'request-ended', ...ended })
    span?.end(ended)
  }
  response.once('close', end)
  const authenticator = noting(context.authenticator, (authentication, credential) => {
    if (authentication.kind === 'known') user = authentication.principal.account?.name
    else if (authentication.kind !== 'anonymous') {
      if ('name' in authentication) claimed = authentication.name
      observe({ kind: 'login-refused', credential, reason: REASONS[authentication.kind] })
    }
  })
  return {
    context: { ...context, report, authenticator },
    run: (answer) => (span ? span.run(answer) : answer()),
    isFor(kind) {
      route = kind
      observe({ kind: 'request-began', method, route })
    },
    answered() {
      // An answer that waits for its turn on a connection that ended is never closed.
      if (socket.destroyed) end()
    },
  }
}

const LONGEST_PATH = 1024

/** Without the query. A target in absolute form may hold a login. */
export function pathOf(target: string): string {
  const path = /^https?:\/\//i.test(target) ? (URL.parse(target)?.pathname ?? '') : target
  return path.startsWith('/') ? path.slice(0, Math.min(LONGEST_PATH, path.search(/[?#]|$/))) : ''
}

const counted = new WeakMap<Socket, { read: number; written: number }>()

/** Bytes that a connection carried since its last request. */
function bytesSinceLast(socket: Socket): { bytesIn: number; bytesOut: number } {
  const { bytesRead: read, bytesWritten: written } = socket
  const last = counted.get(socket) ?? { read: 0, written: 0 }
  counted.set(socket, { read, written })
  return { bytesIn: read - last.read, bytesOut: written - last.written }
}

const REASONS = { refused: 'wrong', limited: 'limited', busy: 'busy' } as const

type Credential = 'password' | 'token'

/** Tells who is known or refused, however they showed what they have. */
function noting(
  authenticator: Authenticator,
  note: (authentication: Authentication, credential: Credential) => void,
): Authenticator {
  const noted = async (asking: Promise<Authentication>, credential: Credential) => {
    const authentication = await asking
    note(authentication, credential)
    return authentication
  }
  return {
    authenticate(header, address) {
      const credential = /^bearer /i.test(header ?? '') ? 'token' : 'password'
      return noted(authenticator.authenticate(header, address), credential)
    },
    checkPassword: (...login) => noted(authenticator.checkPassword(...login), 'password'),
    checkWorkload: (token) => noted(authenticator.checkWorkload(token), 'token'),
    present: (account) => authenticator.present(account),
    checkRefreshToken: (secret) => noted(authenticator.checkRefreshToken(secret), 'token'),
  }
}
