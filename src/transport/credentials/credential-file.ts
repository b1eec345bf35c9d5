import { mkdir, realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import { BaleError, errnoOf } from '#base'
import { acquireLock, readText, writeFileAtomic } from '#host/file'
import { parseJson } from '#spec'
import type { Credential } from './credential.ts'
import { normalizeKey } from './registry-key.ts'

type Json = Record<string, unknown>

/** What a credential file knows, by normalised key. Docker's config.json and podman's auth.json have one form. */
export interface CredentialFile {
  path: string
  /** True when there is an entry, even an empty one. */
  mentions(key: string): boolean
  /** Credentials in the file itself; throws CREDENTIALS_FAILED for an entry that cannot be read. */
  credential(key: string): Credential | undefined
  /** Name of the credential helper for a key, or of the one for all. */
  helper(key: string): string | undefined
}

/** A missing file has no logins. Throws CREDENTIALS_FAILED, which names the file and never quotes it. */
export async function readCredentialFile(path: string): Promise<CredentialFile> {
  return credentialFile(path, await readDocument(path))
}

/** Logins given as text in the same form; only `auths` is read. Errors call it `name`. */
export function readCredentialText(name: string, text: string): CredentialFile {
  const { auths } = toDocument(name, text)
  return credentialFile(name, auths === undefined ? {} : { auths })
}

function credentialFile(path: string, document: Json): CredentialFile {
  const auths = normalized(members(document, 'auths', path))
  const helpers = normalized(members(document, 'credHelpers', path))
  const everywhere = document['credsStore']
  return {
    path,
    mentions: (key) => auths.has(key),
    credential(key) {
      const entry = auths.get(key)
      if (typeof entry !== 'object' || entry === null) return undefined
      return decode(entry as Json, key, path)
    },
    helper(key) {
      const name = helpers.get(key) ?? (key.includes('/') ? undefined : everywhere)
      return typeof name === 'string' && name !== '' ? name : undefined
    },
  }
}

/**
 * Changes the file's auths: everything bale does not know is preserved. The new file is complete or absent, is
 * readable by its owner only, and is written through a symbolic link to where it leads. One writer at a time.
 */
export async function updateAuths(path: string, change: (auths: Json) => void): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await using _lock = await acquireLock(`${path}.lock`, { timeoutMs: 10_000 })
  const document = await readDocument(path)
  const auths = { ...members(document, 'auths', path) }
  change(auths)
  const target = await realpath(path).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return path
    throw error
  })
  await writeFileAtomic(target, `${JSON.stringify({ ...document, auths }, undefined, '\t')}\n`)
}

/** Keys of the file's auths that mean this registry, in all their spellings. */
export function spellings(auths: Json, registry: string): string[] {
  return Object.keys(auths).filter((key) => normalizeKey(key) === registry)
}

/** The entry that docker would write. */
export function encode(credential: Credential): Json {
  switch (credential.kind) {
    case 'password':
      return { auth: toBase64(`${credential.username}:${credential.password}`) }
    case 'identity-token':
      return { auth: toBase64(`${credential.username ?? ''}:`), identitytoken: credential.token }
    case 'registry-token':
      return { registrytoken: credential.token }
  }
}

function decode(entry: Json, key: string, path: string): Credential | undefined {
  const text = (name: string) => (typeof entry[name] === 'string' ? (entry[name] as string) : '')
  let [username, password] = [text('username'), text('password')]
  if (text('auth') !== '') {
    const pair = Buffer.from(text('auth'), 'base64').toString('utf8')
    const colon = pair.indexOf(':')
    if (colon < 0) {
      throw new BaleError('CREDENTIALS_FAILED', `${path} has an entry for ${key} that is not user:password in base64`, {
        next: { act: 'login', registry: key, because: 'unreadable' },
      })
    }
    // Old clients padded the password with NUL bytes.
    ;[username, password] = [pair.slice(0, colon), pair.slice(colon + 1).replace(/\0+$/, '')]
  }
  if (text('identitytoken') !== '') return { kind: 'identity-token', username, token: text('identitytoken') }
  if (text('registrytoken') !== '') return { kind: 'registry-token', token: text('registrytoken') }
  return username === '' && password === '' ? undefined : { kind: 'password', username, password }
}

async function readDocument(path: string): Promise<Json> {
  let text: string
  try {
    text = await readText(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return {}
    throw new BaleError('CREDENTIALS_FAILED', `cannot read the credentials in ${path} (${errnoOf(error)})`, {
      cause: error,
    })
  }
  return toDocument(path, text)
}

function toDocument(path: string, text: string): Json {
  if (text.trim() === '') return {}
  // The parser's own message would quote the text, and with it perhaps a password.
  const document = parseJson(text)
  if (typeof document === 'object' && document !== null && !Array.isArray(document)) return document as Json
  throw new BaleError('CREDENTIALS_FAILED', `${path} is not a JSON object`, { hint: 'repair it or move it away' })
}

function members(document: Json, name: string, path: string): Json {
  const value = document[name] ?? {}
  if (typeof value === 'object' && !Array.isArray(value)) return value as Json
  throw new BaleError('CREDENTIALS_FAILED', `${name} in ${path} is not a JSON object`)
}

/** Of several spellings of one key the exact one wins. */
function normalized(entries: Json): Map<string, unknown> {
  const result = new Map<string, unknown>()
  for (const [key, value] of Object.entries(entries)) {
    const normal = normalizeKey(key)
    if (!result.has(normal) || key === normal) result.set(normal, value)
  }
  return result
}

function toBase64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64')
}
