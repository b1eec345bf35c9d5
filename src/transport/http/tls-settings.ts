import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { SecureContext } from 'node:tls'
import { BaleError, errnoOf } from '#base'
import { readBytes } from '#host/file'

export interface TlsSettings {
  secureContext: SecureContext
  rejectUnauthorized: boolean
}

/** Whom a TLS connection trusts, and what it shows. */
export interface TlsFiles {
  /** More certificate authorities, PEM. */
  ca?: readonly string[]
  /** Directories like /etc/docker/certs.d: `HOST:PORT/{*.crt,*.cert,*.key}` below them is used. */
  certificateDirectories?: readonly string[]
  /** In place of the machine's own authorities, as SSL_CERT_FILE and SSL_CERT_DIR (directories with colons between) hold them. */
  authorities?: { file?: string; directories?: string }
  /** Accept any certificate. */
  insecure?: boolean
}

type Files = { authorities: Buffer[]; certificate?: Buffer; key?: Buffer }

/**
 * What a TLS connection to a host trusts and shows: the machine's authorities, those given, and the files of certs.d
 * under any of the host's `names`: `*.crt` are authorities, `NAME.cert` with `NAME.key` is the client's certificate.
 */
export async function tlsSettings(names: readonly string[], options: TlsFiles): Promise<TlsSettings> {
  const { createSecureContext } = await import('node:tls')
  const files = await certificateFiles(names, options.certificateDirectories ?? [])
  const authorities = await machineAuthorities(options.authorities ?? {})
  return {
    secureContext: createSecureContext({
      ca: [...new Set(authorities), ...(options.ca ?? []), ...files.authorities],
      cert: files.certificate,
      key: files.key,
    }),
    rejectUnauthorized: !options.insecure,
  }
}

const BUNDLE = '/etc/ssl/certs/ca-certificates.crt'
const DIRECTORY = '/etc/ssl/certs'
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** Node's own where the machine has none. Source of the rules for the two variables: Go's crypto/x509. */
async function machineAuthorities({ file, directories }: NonNullable<TlsFiles['authorities']>): Promise<string[]> {
  const { getCACertificates } = await import('node:tls')
  const extra = getCACertificates('extra')
  if (!file && !directories) {
    const system = getCACertificates('system')
    return [...(system.length > 0 ? system : getCACertificates('bundled')), ...extra]
  }
  const paths = [file || BUNDLE]
  for (const directory of (directories || DIRECTORY).split(':').filter(Boolean)) {
    for (const name of await namesIn(directory)) paths.push(join(directory, name))
  }
  const texts = await Promise.all(paths.map((path) => readText(path)))
  return [...texts.flatMap((text) => text.match(CERTIFICATE) ?? []), ...extra]
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort()
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return []
    throw error
  }
}

/** A directory of authorities holds links that lead nowhere, and directories. */
async function readText(path: string): Promise<string> {
  try {
    return (await readBytes(path)).toString('utf8')
  } catch (error) {
    if (['ENOENT', 'EISDIR', 'EACCES', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return ''
    throw error
  }
}

async function certificateFiles(hosts: readonly string[], directories: readonly string[]): Promise<Files> {
  const found: Files = { authorities: [] }
  for (const directory of directories.flatMap((base) => [...new Set(hosts)].map((name) => join(base, name)))) {
    for (const name of await namesIn(directory)) {
      if (name.endsWith('.crt')) found.authorities.push(await readBytes(join(directory, name)))
      if (!name.endsWith('.cert') || found.certificate) continue
      found.certificate = await readBytes(join(directory, name))
      found.key = await readKey(join(directory, name.replace(/cert$/, 'key')))
    }
  }
  return found
}

async function readKey(path: string): Promise<Buffer> {
  try {
    return await readBytes(path)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
    throw new BaleError('INVALID_ARGUMENT', `missing key ${path} for the client certificate beside it`, {
      cause: error,
    })
  }
}
