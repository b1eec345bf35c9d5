import { printable } from '#base'
import type { Session } from './session.ts'

interface FormAnswer {
  status: number
  /** What the answer says; empty for what is no object in JSON. */
  fields: Readonly<Record<string, unknown>>
}

/** Whatever is for the caller to judge. */
const ANSWERS = [200, 201, 400, 403, 404, 405, 409]
const LARGEST = 64 * 1024

/** Sends a form to an end point for logins of a registry, without a login. Other answers are thrown, as of any request. */
export async function sendForm(
  session: Session,
  {
    target,
    fields,
    what,
    signal,
  }: { target: string; fields: Record<string, string>; what: string; signal?: AbortSignal },
): Promise<FormAnswer> {
  const answer = await session.send({
    ...{ method: 'POST', target, what, signal, scopes: [], expect: ANSWERS, withoutLogin: true, confined: true },
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: async () => new URLSearchParams(fields).toString(),
  })
  const text = (await answer.document(LARGEST, `the answer to ${target}`)).toString('utf8')
  return { status: answer.status, fields: objectOf(text) }
}

function objectOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch (error) {
    if (error instanceof SyntaxError) return {}
    throw error
  }
}

/** What it says for why, or that it does not. */
export function reasonOf({ status, fields }: FormAnswer): string {
  const { error_description: description } = fields
  return typeof description === 'string' ? printable(description, 300) : `status ${status}`
}
