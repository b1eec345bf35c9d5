import { readAll } from '#base'
import { streamOf } from '#blob'
import { decompressAny } from '#format/compression'
import { createTarScanner } from '#format/tar'
import { arMember } from './ar-member.ts'

/** What a package may become when it is inflated; its documents come after programs and libraries. */
const INFLATED_LIMIT = 512 << 20
const MOST_ENTRIES = 500_000
/** Bytes of a changelog, compressed and inflated. That of the kernel has 2 MB and 6 MB. */
const PACKED_LIMIT = 8 << 20
const TEXT_LIMIT = 32 << 20

/**
 * The changelog inside a binary package, of which `name` is the name; undefined when it has none, or only a link to
 * that of another package. Nothing is written anywhere: names in the package are only compared. Throws for what is
 * damaged or too large. Source: Debian Policy, sections 4.4 and 12.7.
 */
export async function changelogIn(deb: Uint8Array, name: string, signal?: AbortSignal): Promise<string | undefined> {
  const data = arMember(deb, 'data.tar')
  const packed = await findFile(data.bytes, changelogNames(name), signal)
  if (!packed) return undefined
  const limits = { outputBytes: TEXT_LIMIT }
  const text = await readAll(decompressAny(streamOf(packed), { limits, signal }), { limit: TEXT_LIMIT })
  return Buffer.from(text).toString()
}

/** Best first: `changelog.gz` is Debian's own only where no other one is. */
function changelogNames(name: string): string[] {
  return ['changelog.Debian.gz', 'changelog.Debian', 'changelog.gz'].map((file) => `usr/share/doc/${name}/${file}`)
}

/** The bytes of the best of these files in a compressed tar, which is read no further than to that. */
async function findFile(
  tar: Uint8Array,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  const found = new Map<string, Buffer[]>()
  let current: Buffer[] | undefined
  const scanner = createTarScanner({
    limits: { entries: MOST_ENTRIES },
    onEntry: ({ name, type, dataSize }) => {
      const path = name.replace(/^\.?\//, '')
      const isWanted = type === 'file' && dataSize <= PACKED_LIMIT && names.includes(path)
      current = isWanted ? [] : undefined
      if (current) found.set(path, current)
    },
    onData: (_, bytes) => current?.push(Buffer.from(bytes)),
  })
  // The best one may still be coming in while the next chunk is pushed: it is whole when another entry follows.
  const isOver = () => found.has(names[0]!) && current === undefined
  for await (const bytes of decompressAny(streamOf(tar), { limits: { outputBytes: INFLATED_LIMIT }, signal })) {
    scanner.push(bytes)
    if (isOver()) break
  }
  if (!isOver()) scanner.end()
  const best = names.find((name) => found.has(name))
  return best === undefined ? undefined : Buffer.concat(found.get(best)!)
}
