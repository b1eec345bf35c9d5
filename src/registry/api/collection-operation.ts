import * as v from 'valibot'
import { operation } from './operation.ts'
import { milliseconds, wholeNumber } from './values.ts'
import { administrators } from './who.ts'

const asked = {
  untaggedOlderThan: v.optional(
    milliseconds('Also removes manifests that no tag, index or subject holds and that are older than this.'),
  ),
  restorableFor: v.optional(milliseconds('Keeps those of them that lost a tag so lately; seven days by default.')),
  uploadsOlderThan: v.optional(milliseconds('Forgets unfinished uploads that have not moved for so long; a day by default.')),
  grace: v.optional(milliseconds('How long bytes stay for downloads that run; an hour by default.')),
  auditFor: v.optional(milliseconds('How long lines of the audit log are kept; 90 days by default.')),
}

const collected = v.object({
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

export const collectionOperation = {
  collectGarbage: operation('collectGarbage', {
    method: 'POST',
    path: '/collections',
    summary: 'Removes what nothing refers to; the answer comes when that is done',
    who: administrators,
    body: asked,
    result: collected,
    run: (admin, how, { signal }) => admin.collectGarbage({ ...how, signal }),
    input: ({ signal: _, ...how } = {}) => how,
    output: (result) => result,
  }),
}
