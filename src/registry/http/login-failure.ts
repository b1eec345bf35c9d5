import type { ServerResponse } from 'node:http'
import type { Refusal } from './failure.ts'
import { sendPage } from './html.ts'
import { problemPage } from './login-pages.ts'
import { isForPrograms } from './route.ts'

/** A refusal below `/login`: a page for people, and for programs what OAuth 2.0 has (RFC 6749, section 5.2). */
export function sendLoginFailure(response: ServerResponse, path: string, refusal: Refusal): void {
  const { status, message, headers, detail } = refusal
  if (!isForPrograms(path)) {
    const hint = typeof detail === 'string' ? detail : undefined
    sendPage(response, problemPage(message, hint), { status, headers })
    return
  }
  sendOAuth(response, status, { error: codeOf(refusal), error_description: message }, headers)
}

/** An answer to a program that logs in. */
export function sendOAuth(
  response: ServerResponse,
  status: number,
  answer: object,
  headers: Refusal['headers'] = {},
): void {
  const body = JSON.stringify(answer)
  const own = {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
  }
  response.writeHead(status, { ...own, ...headers }).end(body)
}

function codeOf({ status, code }: Refusal): string {
  if (/^[a-z_]+$/.test(code)) return code
  if (status >= 500) return status === 503 ? 'temporarily_unavailable' : 'server_error'
  return ({ 403: 'access_denied', 429: 'slow_down' } as const)[status] ?? 'invalid_request'
}
