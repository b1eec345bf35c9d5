import type { SourceIndex } from './index-file.ts'
import type { Archives } from './load-archives.ts'
import { isNewer } from './newer.ts'
import type { SourceRecord } from './packages-index.ts'

/** The newest version of a source package in all archives of a release, and where its packages are. */
export type NewestVersion = SourceRecord & { readonly uri: string }

export function newestVersion({ security, release, updates }: Archives, source: string): NewestVersion | undefined {
  return [security, release, updates].reduce<NewestVersion | undefined>(
    (newest, index) => newerIn(index, source, newest),
    undefined,
  )
}

function newerIn(
  index: SourceIndex | undefined,
  source: string,
  known: NewestVersion | undefined,
): NewestVersion | undefined {
  const found = index?.get(source)
  return found && (!known || isNewer(found.version, known.version)) ? { ...found, uri: index!.origin.uri } : known
}
