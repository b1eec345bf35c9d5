import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { firstError } from '#base'
import { type Problem, problemOf, problemOfStatus } from '../api/index.ts'
import { Refusal } from './failure.ts'

/** A refusal of the API. */
interface ApiRefusal {
  status: number
  headers: OutgoingHttpHeaders
  problem: Problem
}

/** What anything thrown means to a client of the API. The answer has the ID of its request already. */
export function asApiRefusal(thrown: unknown, response: ServerResponse): ApiRefusal {
  const instance = String(response.getHeader('X-Request-Id'))
  const failure = firstError(thrown)
  if (failure instanceof Refusal) {
    const { status, headers, message } = failure
    return { status, headers, problem: problemOfStatus(status, message, instance) }
  }
  const problem = problemOf(failure, instance)
  return { status: problem.status, headers: problem.status === 503 ? { 'Retry-After': '2' } : {}, problem }
}

/** Source: RFC 9457. */
export function sendProblem(response: ServerResponse, { status, headers, problem }: ApiRefusal): void {
  const body = JSON.stringify(problem)
  response
    .writeHead(status, {
      'Content-Type': 'application/problem+json',
      'Content-Length': Buffer.byteLength(body),
      'Cache-Control': 'no-store',
      ...headers,
    })
    .end(body)
}
