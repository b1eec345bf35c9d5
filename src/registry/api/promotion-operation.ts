import * as v from 'valibot'
import { BaleError, type ErrorCode, printable } from '#base'
import { PROMOTION_REFUSALS, type Promotion } from '../policies/index.ts'
import { operation } from './operation.ts'
import { flag, imageName, PAGE, page, pageLimit, storedDigest, wholeNumber } from './values.ts'

const promotion = v.object({
  source: imageName,
  target: imageName,
  promoted: v.optional(
    v.object({
      digest: storedDigest,
      changed: flag('False when the target had all of it already'),
      manifests: wholeNumber('Manifests of the image, with those of its platforms and referrers'),
      bytes: wholeNumber('What it added to the target'),
    }),
  ),
  refusal: v.optional(
    v.object({
      code: v.picklist(PROMOTION_REFUSALS),
      detail: v.pipe(v.string(), v.description('Why nothing of this image was copied')),
    }),
  ),
})
type Told = v.InferOutput<typeof promotion>

/** A request copies no more, and no longer, than this: other requests have their turn. */
const MOST = 100
const LONGEST = 10_000
const LONGEST_MESSAGE = 4096

export const promotionOperation = {
  'promotions.promote': operation('promotions.promote', {
    method: 'POST',
    path: '/promotions',
    summary:
      'Copies images from one repository to another, each as its push would be judged; a page may end early, and next has the following ones copied',
    who: {
      words: 'everybody who may pull from the source and push to the target, also with a limited token',
      // Each repository is judged when it is its turn, as are pulls and pushes.
      what: () => 'self',
    },
    query: { after: v.optional(imageName), limit: pageLimit },
    body: {
      source: imageName,
      target: imageName,
      referrers: v.optional(flag('Takes along signatures, SBOMs and whatever else refers to the images')),
      dryRun: v.optional(flag('Tells what would be done, and does nothing')),
    },
    result: page(promotion, imageName),
    pages: 'after',
    async run(admin, { source, target, limit = PAGE, ...how }, { signal }) {
      const items: Told[] = []
      const end = performance.now() + LONGEST
      try {
        for await (const one of admin.promotions.promote(source, target, { ...how, signal })) {
          items.push(toTold(one))
          if (items.length >= Math.min(limit, MOST) || performance.now() > end) return { items, next: one.source }
        }
        return { items }
      } catch (error) {
        const last = items.at(-1)
        if (!last) throw error
        // What was copied is told first; the next page begins with what failed.
        return { items, next: last.source }
      }
    },
    input: (source, target, options) => ({
      ...{ source, target, after: options?.after },
      ...{ referrers: options?.referrers, dryRun: options?.dryRun },
    }),
    output: ({ items }) => items.map(ofTold),
  }),
}

function toTold({ refusal, ...one }: Promotion): Told {
  // Only such a refusal is told with others.
  return refusal ? { ...one, refusal: { code: refusal.code as RefusalCode, detail: refusal.message } } : one
}

type RefusalCode = (typeof PROMOTION_REFUSALS)[number] & ErrorCode

function ofTold({ refusal, ...one }: Told): Promotion {
  if (!refusal) return one
  return { ...one, refusal: new BaleError(refusal.code, printable(refusal.detail, LONGEST_MESSAGE)) }
}
