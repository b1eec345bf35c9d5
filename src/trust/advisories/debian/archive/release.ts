import { BaleError } from '#base'
import { parseControl } from '../sources/index.ts'

/** What a Release file says of one suite of an archive. Source: DebianRepository/Format, "Release" files. */
export interface Release {
  /** `Debian`. */
  readonly origin: string
  /** `Debian-Security`. */
  readonly label: string
  /** `bookworm-security`. */
  readonly codename: string
  /** `12.15`; undefined for testing and unstable. */
  readonly version?: string
  /** When it was made, milliseconds since 1970. */
  readonly date: number
  /** When it ends to count; undefined for what does not change often. */
  readonly validUntil?: number
  /** Whether its files can be had by their digest, too. */
  readonly byHash: boolean
  /** Lists of binary packages by their path in the suite: `main/binary-amd64/Packages.xz`. */
  readonly files: ReadonlyMap<string, ReleaseFile>
}

export interface ReleaseFile {
  readonly size: number
  /** In hex. */
  readonly sha256: string
}

/** Reads a Release file. DOWNLOAD_FAILED, naming `what`, for what is none. */
export function parseRelease(text: string, what: string): Release {
  const [fields] = parseControl(text)
  const date = timeOf(fields?.get('date'))
  const codename = fields?.get('codename')
  if (!fields || date === undefined || !codename)
    throw new BaleError('DOWNLOAD_FAILED', `${what} is not a Release file of a Debian archive`)
  const validUntil = fields.get('valid-until')
  return {
    origin: fields.get('origin') ?? '',
    label: fields.get('label') ?? '',
    codename,
    version: fields.get('version') || undefined,
    date,
    // An end that cannot be read has passed.
    validUntil: validUntil === undefined ? undefined : (timeOf(validUntil) ?? 0),
    byHash: fields.get('acquire-by-hash') === 'yes',
    files: filesOf(fields.get('sha256') ?? ''),
  }
}

/** RFC 5322, with `UTC` for the zone. */
function timeOf(text: string | undefined): number | undefined {
  if (
    text === undefined ||
    !/^[A-Z][a-z]{2}, [ \d]\d? [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (?:UTC|GMT|\+0000)$/.test(text)
  )
    return undefined
  const time = Date.parse(text)
  return Number.isNaN(time) ? undefined : time
}

/** Lines are a digest, a size and a path. */
function filesOf(list: string): ReadonlyMap<string, ReleaseFile> {
  const files = new Map<string, ReleaseFile>()
  for (const line of list.split('\n')) {
    const [sha256 = '', size = '', path = ''] = line.trim().split(/\s+/, 3)
    if (!path.includes('/binary-') || !/^[0-9a-f]{64}$/.test(sha256) || !/^\d{1,15}$/.test(size)) continue
    files.set(path, { size: Number(size), sha256 })
  }
  return files
}
