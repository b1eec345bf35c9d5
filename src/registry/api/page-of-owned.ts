import { ownerOf } from '../auth/index.ts'
import type { Caller } from './operation.ts'
import { PAGE } from './values.ts'

interface AskedPage {
  last?: string
  limit?: number
}

/**
 * A page of things that belong to organisations and users: those of the name `wanted`, or of all that the caller administers. It reads
 * no more than it gives. Names of one owner are in byte order, and come one owner after another.
 */
export async function pageOfOwned<T extends { name: string }>(
  { names, wanted }: { names: Caller['names']; wanted: string | undefined },
  { last, limit = PAGE }: AskedPage,
  list: (owner: string | undefined, page: AskedPage) => Promise<T[]>,
): Promise<{ items: T[]; next?: string }> {
  const items: T[] = []
  const reached = last === undefined ? undefined : (ownerOf(last) ?? last)
  for (const owner of names?.filter((name) => wanted === undefined || name === wanted).sort() ?? [wanted]) {
    if (owner !== undefined && reached !== undefined && owner < reached) continue
    const after = owner === undefined || owner === reached ? last : undefined
    items.push(...(await list(owner, { last: after, limit: limit - items.length })))
    if (items.length === limit) return { items, next: items.at(-1)!.name }
  }
  return { items }
}
