import type { PackedEntry } from '#format/tar'
import { createLowerView, type LowerView } from '#rootfs'

/**
 * Directories that are in an upper directory although nothing in them or of them changed: overlayfs copied them up for a
 * mount point that is gone again, or for a file that was made and removed. They are held back until something below them
 * comes. `lowers`: the layers below, uppermost first.
 */
export async function* untouchedDirectoriesRemoved(
  entries: Iterable<PackedEntry>,
  lowers: readonly string[],
): AsyncGenerator<PackedEntry> {
  const below = createLowerView(lowers)
  let held: PackedEntry[] = []
  for (const packed of entries) {
    held = held.filter(({ entry }) => packed.entry.name.startsWith(directoryName(entry.name)))
    if (packed.entry.type === 'directory' && isAsBelow(packed, below)) {
      held.push(packed)
      continue
    }
    yield* held
    held = []
    yield packed
  }
}

function directoryName(name: string): string {
  return name.endsWith('/') ? name : `${name}/`
}

/** Same owner, mode and time as the layers below show it. */
function isAsBelow({ entry }: PackedEntry, below: LowerView): boolean {
  const found = below.stat(entry.name)
  if (!found?.isDirectory()) return false
  const time = BigInt(entry.mtime ?? 0) * 1_000_000_000n + BigInt(entry.mtimeNanoseconds ?? 0)
  const isSame =
    Number(found.mode & 0o7777n) === entry.mode && Number(found.uid) === entry.uid && Number(found.gid) === entry.gid
  return isSame && found.mtimeNs === time
}
