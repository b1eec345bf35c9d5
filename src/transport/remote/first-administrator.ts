import { BaleError, type OperationOptions } from '#base'
import { noCredentials } from '#transport/credentials'
import type { RemoteOptions } from './repository.ts'
import { reasonOf, sendForm } from './send-form.ts'
import { createSession } from './session.ts'

/** The first administrator of a registry of bale, and the token that its operator made for that. */
export interface FirstAdministrator {
  token: string
  name: string
  password: string
}

/** Makes them. DENIED when the token is not right or there are users already; INVALID_ARGUMENT for what cannot be a name or password. */
export async function makeFirstAdministrator(
  registry: string,
  {
    token,
    name,
    password,
    signal,
    ...options
  }: Omit<RemoteOptions, 'credentials'> & OperationOptions & FirstAdministrator & { base?: URL },
): Promise<void> {
  await using session = createSession(registry, undefined, { ...options, credentials: noCredentials })
  const what = `the first administrator of ${session.registry.name}`
  const fields = { token, name, password }
  const answer = await sendForm(session, { target: '/login/bootstrap', fields, what, signal })
  if (answer.status === 201) return
  const code = ({ 400: 'INVALID_ARGUMENT', 403: 'DENIED' } as const)[answer.status] ?? 'REGISTRY_FAILED'
  throw new BaleError(code, `${session.registry.name} makes no administrator: ${reasonOf(answer)}`, {
    details: { status: answer.status },
  })
}
