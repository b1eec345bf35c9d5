import * as v from 'valibot'
import { operation } from './operation.ts'
import { imageReport, reportOf, toldOf } from './scan-values.ts'
import { digest, oneImage, PAGE, page, pageLimit, wholeNumber } from './values.ts'
import { ownersBelow } from './who.ts'

/** Packages and findings of the images of a page, after which it ends: some 10 MB. */
const LARGEST = 30_000

/** What is known of what is inside images. */
export const scanOperations = {
  'scans.run': operation('scans.run', {
    method: 'POST',
    path: '/images/{name}/scans',
    summary: 'Has an image, or those of an index, looked at again. The answer does not wait for that',
    who: ownersBelow('name'),
    parameters: { name: oneImage },
    result: v.object({ queued: wholeNumber('Images that are looked at') }),
    run: async (admin, { name }) => ({ queued: await admin.scans.run(name) }),
    input: (name) => ({ name }),
    output: ({ queued }) => queued,
  }),
  'scans.report': operation('scans.report', {
    method: 'GET',
    path: '/images/{name}/scans',
    summary: 'Tells what was found in an image, or in those of an index; a page may end early',
    who: {
      words: 'everybody who may pull the image, also with a limited token',
      // The repository is judged as a pull is.
      what: () => 'self',
    },
    parameters: { name: oneImage },
    query: { after: v.optional(digest), limit: pageLimit },
    result: page(imageReport, digest),
    pages: 'after',
    gathered: true,
    async run(admin, { name, after, limit = PAGE }) {
      const items: v.InferInput<typeof imageReport>[] = []
      for (let last = after, size = 0; ; ) {
        const [one] = await admin.scans.report(name, { after: last, limit: 1 })
        if (!one) return { items }
        items.push(toldOf(one))
        last = one.digest
        size += (one.result?.packages.length ?? 0) + (one.result?.findings.length ?? 0)
        if (items.length === limit || size > LARGEST) return { items, next: last }
      }
    },
    input: (name, options) => ({ name, ...options }),
    output: ({ items }) => items.map(reportOf),
  }),
}
