import * as v from 'valibot'
import { milliseconds, wholeNumber } from './values.ts'

/** What a collection is asked for, on the wire. */
export const asked = {
  untaggedOlderThan: v.optional(
    milliseconds('Also removes manifests that no tag, index or subject holds and that are older than this.'),
  ),
  restorableFor: v.optional(milliseconds('Keeps those of them that lost a tag so lately; seven days by default.')),
  uploadsOlderThan: v.optional(
    milliseconds('Forgets unfinished uploads that have not moved for so long; a day by default.'),
  ),
  grace: v.optional(milliseconds('How long bytes stay for downloads that run; an hour by default.')),
  auditFor: v.optional(milliseconds('How long lines of the audit log are kept; 90 days by default.')),
}

/** How much it removed, on the wire. */
export const collected = v.object({
  uploads: wholeNumber('Uploads that were never finished'),
  tags: wholeNumber('Tags that policies do not keep'),
  manifests: wholeNumber('Untagged manifests'),
  blobs: wholeNumber('Blobs that are no longer visible'),
  bytes: wholeNumber('Their bytes'),
  objects: wholeNumber('Objects deleted now'),
})

/** What a collection is asked for. */
export type CollectionRequest = v.InferInput<v.StrictObjectSchema<typeof asked, undefined>>
/** How much it removed. */
export type CollectionResult = v.InferOutput<typeof collected>
