import { asked, collected } from './collection.ts'
import { operation } from './operation.ts'
import { administrators } from './who.ts'

export const collectionOperation = {
  collectGarbage: operation('collectGarbage', {
    method: 'POST',
    path: '/collections',
    summary:
      'Removes what nothing refers to. The answer comes when that is done; it ends early when the client goes away',
    who: administrators,
    body: asked,
    result: collected,
    run: (admin, how, { signal }) => admin.collectGarbage({ ...how, signal }),
    input: ({ signal: _, ...how } = {}) => how,
    output: (result) => result,
  }),
}
