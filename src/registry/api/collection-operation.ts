import { asked, collected } from './collection.ts'
import { operation } from './operation.ts'
import { administrators } from './who.ts'

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
