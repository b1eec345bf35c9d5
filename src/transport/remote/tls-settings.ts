import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SecureContext } from 'node:tls'
import { errnoOf } from '#base'
import type { RegistryHost } from './registry-host.ts'
import type { RemoteOptions } from './repository.ts'

export interface TlsSettings {
  secureContext: SecureContext
  rejectUnauthorized: boolean
}

type Files = { authorities: Buffer[]; certificate?: Buffer; key?: Buffer }

/**
 * What a TLS connection to the registry trusts and shows: the machine's authorities (Node's own where it has none), those given, and
 * the files of certs.d: `*.crt` are authorities, `NAME.cert` with `NAME.key` is the client's certificate.
 */
export async function tlsSettings(registry: RegistryHost, options: RemoteOptions): Promise<TlsSettings> {
  const { createSecureContext, getCACertificates } = await import('node:tls')
  const files = await certificateFiles(registry, options.certificateFolders ?? [])
  const system = getCACertificates('system')
  const authorities = [...(system.length > 0 ? system : getCACertificates('bundled')), ...getCACertificates('extra')]
  return {
    secureContext: createSecureContext({
      ca: [...new Set(authorities), ...(options.ca ?? []), ...files.authorities],
      cert: files.certificate,
      key: files.key,
    }),
    rejectUnauthorized: !options.insecure,
  }
}

async function certificateFiles(registry: RegistryHost, folders: string[]): Promise<Files> {
  const found: Files = { authorities: [] }
  for (const folder of folders.flatMap((base) =>
    [...new Set([registry.name, registry.host])].map((name) => join(base, name)),
  )) {
    const names = await readdir(folder).catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return []
      throw error
    })
    for (const name of names.sort()) {
      if (name.endsWith('.crt')) found.authorities.push(await readFile(join(folder, name)))
      if (!name.endsWith('.cert') || found.certificate) continue
      found.certificate = await readFile(join(folder, name))
      found.key = await readFile(join(folder, name.replace(/cert$/, 'key')))
    }
  }
  return found
}
