import { join } from 'node:path'
import { errnoOf } from '#base'
import { namesIn, readBytes } from '#host/file'
import { APT_DIRECTORY, type SignedBy } from '../sources/index.ts'

/** Public keys that may sign an archive. */
export interface Keys {
  /** In binary form. None when there are no keys. */
  readonly keyrings: readonly Uint8Array[]
  /** If given, only keys with these fingerprints count. In upper case. */
  readonly fingerprints?: readonly string[]
}

/** Where this machine keeps keys of archives. */
export interface KeyPlaces {
  /** With `trusted.gpg` and `trusted.gpg.d`. */
  readonly aptDirectory: string
  /** Debian's own keys, for sources that do not say which. */
  readonly archiveKeyring: string
}

export const defaultKeyPlaces: KeyPlaces = {
  aptDirectory: APT_DIRECTORY,
  archiveKeyring: '/usr/share/keyrings/debian-archive-keyring.gpg',
}

/** A keyring in bytes; Debian's has 55 kB. */
const LIMIT = 16 << 20

/**
 * The keys that Signed-By names; without it Debian's and all that apt trusts. What cannot be read is not there.
 * Source: sources.list(5), apt-key(8).
 */
export async function findKeys(signedBy: SignedBy | undefined, places: KeyPlaces): Promise<Keys> {
  if (signedBy?.armoured !== undefined) return { keyrings: [withoutArmour(Buffer.from(signedBy.armoured))] }
  const { fingerprints = [], files = [] } = signedBy ?? {}
  const paths = files.length > 0 ? files : await trustedKeyrings(places)
  const keyrings = await Promise.all(paths.map(readKeyring))
  return {
    keyrings: keyrings.filter((bytes) => bytes !== undefined),
    ...(fingerprints.length > 0 && files.length === 0 && { fingerprints }),
  }
}

async function trustedKeyrings({ aptDirectory, archiveKeyring }: KeyPlaces): Promise<string[]> {
  const directory = join(aptDirectory, 'trusted.gpg.d')
  const names = (await namesIn(directory)).filter((name) => /\.(?:gpg|asc)$/.test(name))
  return [archiveKeyring, join(aptDirectory, 'trusted.gpg'), ...names.map((name) => join(directory, name))]
}

async function readKeyring(path: string): Promise<Uint8Array | undefined> {
  try {
    const bytes = await readBytes(path, { limit: LIMIT })
    return bytes.length === 0 ? undefined : withoutArmour(bytes)
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return undefined
  }
}

const ARMOUR = '-----BEGIN PGP PUBLIC KEY BLOCK-----'

/** Binary keys of an armoured file, which gpgv cannot read; other bytes as they are. Source: RFC 9580, section 6.2. */
function withoutArmour(bytes: Buffer): Uint8Array {
  if (!bytes.includes(ARMOUR)) return bytes
  const keys: Buffer[] = []
  let body: string[] | undefined
  let inHeaders = false
  for (const line of bytes
    .toString('latin1')
    .split('\n')
    .map((one) => one.trim())) {
    if (line.startsWith(ARMOUR)) {
      body = []
      inHeaders = true
    } else if (line.startsWith('-----END ')) {
      if (body) keys.push(Buffer.from(body.join(''), 'base64'))
      body = undefined
    } else if (inHeaders) inHeaders = line !== '' && line.includes(':')
    // The line that begins with `=` is a checksum.
    else if (!line.startsWith('=')) body?.push(line)
  }
  return Buffer.concat(keys)
}
