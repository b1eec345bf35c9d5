import { BaleError, type OperationOptions, printable } from '#base'
import { noCredentials } from '#transport/credentials'
import type { RemoteOptions } from './repository.ts'
import { reasonOf, sendForm } from './send-form.ts'
import { createSession, type Session } from './session.ts'

/** What a person needs to let this program in. */
export interface DevicePrompt {
  /** The page of the registry. */
  address: string
  /** What is typed there: `BCDF-GHJK`. */
  code: string
  /** The page with the code in its address. */
  whole?: string
}

/** What the registry gave for it. */
interface DeviceIdentity {
  username: string
  /** An identity token. */
  token: string
}

const CLIENT = 'bale'
const GRANT = 'urn:ietf:params:oauth:grant-type:device_code'
/** Of a registry that says nothing, or nothing that is sensible; seconds. Source: RFC 8628, section 3.2. */
const INTERVAL = { usual: 5, least: 1, most: 60 }
const EXPIRES = { usual: 600, least: 10, most: 3600 }
const SLOWER = 5

/**
 * Has a person let this program in with a browser, and waits for that. `show` is told what to do. Source: RFC 8628. REGISTRY_FAILED when the registry
 * does not do so, UNAUTHORIZED when nobody lets it in.
 */
export async function loginByDevice(
  registry: string,
  {
    show,
    signal,
    ...options
  }: Omit<RemoteOptions, 'credentials'> & OperationOptions & { show: (prompt: DevicePrompt) => void | Promise<void> },
): Promise<DeviceIdentity> {
  await using session = createSession(registry, undefined, { ...options, credentials: noCredentials })
  const begun = await begin(session, signal)
  await show(begun.prompt)
  return await waitFor(session, begun, signal)
}

interface Begun {
  prompt: DevicePrompt
  deviceCode: string
  /** Seconds. */
  interval: number
  expires: number
}

async function begin(session: Session, signal: AbortSignal | undefined): Promise<Begun> {
  const { name } = session.registry
  const what = `the login at ${name}`
  const answer = await sendForm(session, { target: '/login/device/code', fields: { client_id: CLIENT }, what, signal })
  const {
    device_code: deviceCode,
    user_code: code,
    verification_uri: address,
    interval,
    expires_in: expires,
  } = answer.fields
  const isWhole = typeof deviceCode === 'string' && typeof code === 'string' && isWebAddress(address)
  if (answer.status !== 200 || !isWhole) {
    const said = typeof answer.fields['error'] === 'string' ? `: ${reasonOf(answer)}` : ''
    throw new BaleError('REGISTRY_FAILED', `${name} lets no programs in with a browser${said}`, {
      next: { act: 'login', registry: name, because: 'no-device' },
      details: { status: answer.status },
    })
  }
  const { verification_uri_complete: whole } = answer.fields
  return {
    prompt: { address, code: printable(code, 40), ...(isWebAddress(whole) && { whole }) },
    deviceCode,
    interval: within(interval, INTERVAL),
    expires: session.clock.now() + within(expires, EXPIRES) * 1000,
  }
}

/** What can be shown to a person, who opens it. */
function isWebAddress(text: unknown): text is string {
  return typeof text === 'string' && text.length <= 1024 && /^https?:\/\/[\x21-\x7e]+$/.test(text) && URL.canParse(text)
}

function within(given: unknown, { usual, least, most }: typeof INTERVAL): number {
  return typeof given === 'number' && Number.isFinite(given) ? Math.min(Math.max(given, least), most) : usual
}

async function waitFor(
  session: Session,
  { deviceCode, expires, ...begun }: Begun,
  signal: AbortSignal | undefined,
): Promise<DeviceIdentity> {
  const { clock, registry } = session
  let { interval } = begun
  const fields = { grant_type: GRANT, client_id: CLIENT, device_code: deviceCode }
  const what = `the login at ${registry.name}`
  while (clock.now() < expires) {
    await clock.sleep(interval * 1000, { signal })
    const answer = await sendForm(session, { target: '/login/device/token', fields, what, signal })
    if (answer.status === 200) return identityOf(answer.fields, registry.name)
    const { error } = answer.fields
    if (error === 'slow_down') interval = Math.min(interval + SLOWER, INTERVAL.most)
    else if (error === 'expired_token') break
    else if (error !== 'authorization_pending') {
      throw new BaleError('UNAUTHORIZED', `${registry.name} does not let this program in: ${reasonOf(answer)}`)
    }
  }
  throw new BaleError('UNAUTHORIZED', `nobody let this program in at ${registry.name} in time`, {
    hint: 'begin again, and allow it in the browser before the code ends',
  })
}

function identityOf(
  { account, refresh_token: token }: Readonly<Record<string, unknown>>,
  registry: string,
): DeviceIdentity {
  const isName = typeof account === 'string' && /^[^\s:]{1,255}$/.test(account)
  if (isName && typeof token === 'string' && /^[\x21-\x7e]{1,65536}$/.test(token)) return { username: account, token }
  throw new BaleError('REGISTRY_FAILED', `${registry} let this program in, but gave it nothing to log in with`)
}
