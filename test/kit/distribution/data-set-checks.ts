import { type CheckGroup, checkGroup } from './check.ts'
import { dataSets } from './data-sets.ts'
import { deletionChecks } from './set-deletion-checks.ts'
import { listingChecks } from './set-listing-checks.ts'
import { pushChecks } from './set-push-checks.ts'
import { readChecks } from './set-read-checks.ts'

/** Each set is pushed, listed, read and deleted, in a repository of its own. */
const ROWS = [...pushChecks, ...listingChecks, ...readChecks, ...deletionChecks]

export function dataSetGroups(namespace: string): CheckGroup[] {
  return dataSets().map((set) => {
    const data = { set, repository: `${namespace}/${set.name}` }
    return checkGroup(
      set.name,
      data,
      ROWS.filter(({ about }) => about(set)),
    )
  })
}
