import * as v from 'valibot'
import { milliseconds, wholeNumber } from './values.ts'

/** What a collection is asked for. Periods are milliseconds. How long the audit log is kept is said by the operator alone. */
export interface CollectionRequest {
  /** Also removes manifests that no tag, index or subject holds and that are older than this. */
  untaggedOlderThan?: number
  /** Keeps those of them that lost a tag so lately; seven days by default. */
  restorableFor?: number
  /** Forgets unfinished uploads that have not moved for so long; a day by default. */
  uploadsOlderThan?: number
  /** How long bytes stay for downloads that run; an hour by default. */
  grace?: number
}

/** How much a collection removed. */
export interface CollectionResult {
  /** Uploads that were never finished. */
  uploads: number
  /** Tags that policies do not keep. */
  tags: number
  manifests: number
  /** Blobs that are no longer visible, and their bytes. */
  blobs: number
  bytes: number
  /** Objects deleted now. */
  objects: number
}

/** The members of a request, as schemas. */
export const asked = {
  untaggedOlderThan: v.optional(
    milliseconds('Also removes manifests that no tag, index or subject holds and that are older than this.'),
  ),
  restorableFor: v.optional(milliseconds('Keeps those of them that lost a tag so lately; seven days by default.')),
  uploadsOlderThan: v.optional(
    milliseconds('Forgets unfinished uploads that have not moved for so long; a day by default.'),
  ),
  grace: v.optional(milliseconds('How long bytes stay for downloads that run; an hour by default.')),
}

/** Of an answer. */
export const collected = v.object({
  uploads: wholeNumber('Uploads that were never finished'),
  tags: wholeNumber('Tags that policies do not keep'),
  manifests: wholeNumber('Untagged manifests'),
  blobs: wholeNumber('Blobs that are no longer visible'),
  bytes: wholeNumber('Their bytes'),
  objects: wholeNumber('Objects deleted now'),
}) satisfies v.GenericSchema<CollectionResult>
