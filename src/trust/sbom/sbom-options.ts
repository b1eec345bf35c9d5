import type { Reference } from '#spec'

/** What a document says besides the inventory. All of it is the caller's, so that the document depends on nothing else. */
export interface SbomOptions {
  /** What the image is called: `debian:12`, `registry.example/team/web:1.0`, or the name of a file. */
  readonly name: string
  /** Its name in a registry: without one it has no package URL. */
  readonly reference?: Reference
  /** SOURCE_DATE_EPOCH, or when the image was made. CycloneDX has no time without it, SPDX the first second of 1970. */
  readonly created?: Date
  /** Of bale: `0.1.0`. */
  readonly version?: string
}

/** RFC 3339 in UTC, with whole seconds as SPDX wants them; undefined for what no year of four digits has. */
export function timestampOf(date: Date | undefined): string | undefined {
  const year = date?.getUTCFullYear() ?? Number.NaN
  return year >= 0 && year <= 9999 ? `${date!.toISOString().slice(0, 19)}Z` : undefined
}
