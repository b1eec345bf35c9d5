import * as v from 'valibot'
import { operation } from './operation.ts'
import { auditText, PAGE, page, pageLimit, time, wholeNumber } from './values.ts'
import { administrators } from './who.ts'

const outcome = v.picklist(['done', 'refused'], 'expects done or refused')
const before = wholeNumber('Only lines before the one with this ID')

const entry = v.object({
  id: wholeNumber('Smaller than those of later lines'),
  at: time('When it was.'),
  actor: v.pipe(v.string(), v.description('Who: user:ann, robot:acme+ci, anonymous, operator')),
  address: v.optional(v.pipe(v.string(), v.description('From where; absent for the operator'))),
  action: v.string(),
  target: v.string(),
  outcome,
  detail: v.optional(v.string()),
})

export const auditOperation = {
  'audit.entries': operation('audit.entries', {
    method: 'GET',
    path: '/audit',
    summary: 'Lists what was changed and refused, newest first; in action and target a star stands for anything',
    who: administrators,
    query: {
      actor: v.optional(auditText),
      action: v.optional(auditText),
      target: v.optional(auditText),
      outcome: v.optional(outcome),
      since: v.optional(time('Not before.')),
      until: v.optional(time('Before.')),
      before: v.optional(before),
      limit: pageLimit,
    },
    result: page(entry, before),
    pages: 'before',
    async run(admin, { limit = PAGE, ...filter }) {
      const found: v.InferOutput<typeof entry>[] = []
      for await (const one of admin.audit.entries(filter)) {
        if (found.push(one) === limit) return { items: found, next: one.id }
      }
      return { items: found }
    },
    input: (filter) => ({ ...filter }),
    output: ({ items }) => items,
  }),
}
