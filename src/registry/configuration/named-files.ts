import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { getSystemErrorMessage } from 'node:util'
import { isBaleError } from '#base'
import { readText } from '#host/file'
import type { NamedFile, SecretSource } from './configuration.ts'

/** What a configuration names cannot be used; the message says why, without what is in it. */
export class Unusable extends Error {}

/** The surroundings in which variables are looked up. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A password, an ID, a secret: one line of text. */
export async function readSecret(source: SecretSource, environment: Environment): Promise<string> {
  if ('path' in source) return oneLine(await textOf(source, { secret: true }), source.path)
  const value = environment[source.variable]
  if (value === undefined) throw new Unusable(`the environment variable ${source.variable} is not set`)
  return oneLine(value, source.variable)
}

/** A secret that is shown over the network, and could be guessed there. */
export async function readToken(source: SecretSource, environment: Environment): Promise<string> {
  const token = await readSecret(source, environment)
  if (token.length >= LEAST_TOKEN && token.length <= MOST_TOKEN) return token
  const name = 'path' in source ? source.path : source.variable
  throw new Unusable(`${name} does not hold a token of ${LEAST_TOKEN} to ${MOST_TOKEN} characters`)
}

const LEAST_TOKEN = 32
const MOST_TOKEN = 512

/** The end of a line is the editor's, blanks may be meant. */
function oneLine(text: string, name: string): string {
  const line = text.replace(/\r?\n$/, '')
  if (line === '') throw new Unusable(`${name} is empty`)
  if (/[\u0000-\u001f\u007f]/.test(line)) throw new Unusable(`${name} has more than one line, or control characters`)
  return line
}

/** A secret of random bytes, as the registry's own files have it. */
export async function readDigits(source: SecretSource, environment: Environment): Promise<Uint8Array> {
  const text = (await readSecret(source, environment)).trim()
  if (/^(?:[0-9a-f]{2}){32,}$/.test(text)) return Buffer.from(text, 'hex')
  const name = 'path' in source ? source.path : source.variable
  throw new Unusable(`${name} does not hold a secret: at least 64 hexadecimal digits, in lower case`)
}

/** A key of HMAC, as authorities give it: at least 16 bytes in base64url. */
export async function readHmacKey(source: SecretSource, environment: Environment): Promise<string> {
  const text = (await readSecret(source, environment)).trim().replace(/=+$/, '')
  if (/^[A-Za-z0-9_-]{22,}$/.test(text)) return text
  const name = 'path' in source ? source.path : source.variable
  throw new Unusable(
    `${name} does not hold a key in base64url: letters, digits, - and _ alone, as the authority gave it`,
  )
}

/** The text of a file with certificates, and the first of them. */
export async function readCertificate(file: NamedFile): Promise<{ pem: string; certificate: X509Certificate }> {
  const pem = await textOf(file)
  try {
    return { pem, certificate: new X509Certificate(pem) }
  } catch {
    throw new Unusable(`${file.path} does not begin with a certificate (PEM)`)
  }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

/** The text of a file with authorities, every one of which can be used: one that is passed over would be missed late. */
export async function readAuthorities(file: NamedFile): Promise<string> {
  const pem = await textOf(file)
  const found = pem.match(CERTIFICATE) ?? []
  if (found.length === 0) throw new Unusable(`${file.path} has no certificate (PEM)`)
  for (const [at, one] of found.entries()) {
    if (!isAuthority(one)) throw new Unusable(`certificate ${at + 1} in ${file.path} is not that of an authority`)
  }
  return found.join('\n')
}

function isAuthority(pem: string): boolean {
  try {
    return new X509Certificate(pem).ca
  } catch {
    return false
  }
}

/** The text of a file with a private key, and the key. */
export async function readKey(file: NamedFile): Promise<{ pem: string; key: KeyObject }> {
  const pem = await textOf(file, { secret: true })
  try {
    return { pem, key: createPrivateKey(pem) }
  } catch {
    throw new Unusable(`${file.path} does not hold a private key (PEM) without a passphrase`)
  }
}

/** RFC 9110 section 5.1, and what may be in a value. */
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)[ \t]*$/

/** Headers of HTTP, a line for each. They are secrets. */
export async function readHeaders(file: NamedFile): Promise<Record<string, string>> {
  const lines = (await textOf(file, { secret: true })).split(/\r?\n/)
  const headers: Record<string, string> = Object.create(null)
  for (const [at, line] of lines.entries()) {
    if (line.trim() === '') continue
    const [, name, value] = HEADER.exec(line) ?? []
    if (name === undefined || value === undefined)
      throw new Unusable(`line ${at + 1} of ${file.path} is not a header: NAME: VALUE`)
    headers[name.toLowerCase()] = value
  }
  return headers
}

const LIMIT = 1 << 20

/**
 * A secret must be kept from others; a group may read it, since that is how one is given to a service that does not run
 * as root (0440).
 */
async function textOf({ path }: NamedFile, { secret = false } = {}): Promise<string> {
  try {
    const stats = await stat(path)
    if (!stats.isFile()) throw new Unusable(`${path} is not a file`)
    if (secret && (stats.mode & 0o007) !== 0) {
      throw new Unusable(`everybody on this machine can use ${path}; expects a mode such as 0600 or 0440`)
    }
    return await readText(path, { limit: LIMIT })
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException
    if (typeof errno === 'number') throw new Unusable(`cannot read ${path}: ${getSystemErrorMessage(errno)}`)
    throw isBaleError(error, 'LIMIT_EXCEEDED') ? new Unusable(error.message) : error
  }
}
