/** What a version of a source package changed. */
export interface ChangelogEntry {
  readonly version: string
  /** CVE ids that its text names. */
  readonly ids: readonly string[]
}

/** Bounds for what one changelog gives. The longest of Debian have 700 entries, and 2 000 ids. */
const MOST_ENTRIES = 2_000
const MOST_IDS = 10_000

/**
 * The entries of a changelog of a source package, in its order: newest first. Empty for another text, such as the
 * changes of the makers of the program. Source: deb-changelog(5).
 */
export function parseChangelog(text: string, source: string): ChangelogEntry[] {
  const entries: { version: string; ids: Set<string> }[] = []
  let room = MOST_IDS
  for (const line of text.split('\n')) {
    const [, name, version] = HEADING.exec(line) ?? []
    if (version === undefined) {
      const ids = idsIn(line).slice(0, room)
      room -= ids.length
      for (const id of ids) entries.at(-1)?.ids.add(id)
    } else {
      // The package may have had another name before, but not now.
      if (entries.length === 0 && name !== source) return []
      if (entries.length === MOST_ENTRIES) break
      entries.push({ version, ids: new Set() })
    }
  }
  return entries.map(({ version, ids }) => ({ version, ids: [...ids] }))
}

const HEADING = /^([a-z0-9][a-z0-9+.-]{0,99}) \(([0-9][0-9A-Za-z.+~:-]{0,99})\)/

function idsIn(line: string): string[] {
  return (line.match(/(?<![\w-])CVE-\d{4}-\d{4,}/g) ?? []).filter((id) => id.length <= LONGEST_ID)
}

const LONGEST_ID = 24
