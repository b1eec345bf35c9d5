import * as v from 'valibot'
import { operation } from './operation.ts'
import { imageReport, reportOf, toldOf } from './scan-values.ts'
import { digest, oneImage, PAGE, page, pageLimit, wholeNumber } from './values.ts'
import { ownersBelow } from './who.ts'

/** A page ends after this many packages and findings, about 10 MB. */
const LARGEST = 30_000

/** Scans of images, and their reports. */
export const scanOperations = {
  'scans.run': operation('scans.run', {
    method: 'POST',
    path: '/images/{name}/scans',
    summary: 'Queues a new scan of an image, or of all images of an index. The answer does not wait for it',
    who: ownersBelow('name'),
    parameters: { name: oneImage },
    result: v.object({ queued: wholeNumber('Number of images queued') }),
    run: async (admin, { name }) => ({ queued: await admin.scans.run(name) }),
    input: (name) => ({ name }),
    output: ({ queued }) => queued,
  }),
  'scans.report': operation('scans.report', {
    method: 'GET',
    path: '/images/{name}/scans',
    summary: 'Returns the scan report of an image, or of each image of an index; a page may end early',
    who: {
      words: 'everybody who may pull the image, also with a limited token',
      // The repository is judged as a pull is.
      what: () => 'self',
    },
    parameters: { name: oneImage },
    query: { after: v.optional(digest), limit: pageLimit },
    result: page(imageReport, digest),
    pages: 'after',
    async run(admin, { name, after, limit = PAGE }) {
      const items: v.InferInput<typeof imageReport>[] = []
      let size = 0
      for await (const one of admin.scans.report(name, { after })) {
        items.push(toldOf(one))
        size += (one.result?.packages.length ?? 0) + (one.result?.findings.length ?? 0)
        if (items.length === limit || size > LARGEST) return { items, next: one.digest }
      }
      return { items }
    },
    input: (name, options) => ({ name, ...options }),
    output: ({ items }) => items.map(reportOf),
  }),
}
