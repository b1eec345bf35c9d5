import { BaleError, printable } from '#base'
import type { MetaStore } from '../meta/index.ts'
import { checkPattern, matchesPattern } from '../pattern/index.ts'

/** Which repositories everybody may pull from, without a login too. None at first. */
export interface Visibility {
  publish(pattern: string): Promise<void>
  /** NOT_FOUND when exactly this pattern is not public. */
  hide(pattern: string): Promise<void>
  list(): Promise<string[]>
  /** All repositories, in byte order, or those after a name. */
  repositories(options?: { last?: string }): AsyncIterable<ListedRepository>
}

/** A repository, and whether everybody may pull from it. */
interface ListedRepository {
  name: string
  isPublic: boolean
}

const AT_ONCE = 1000

export function createVisibility(meta: MetaStore): Visibility {
  return {
    async publish(pattern) {
      checkPattern(pattern)
      await meta.setPublic(pattern, true)
    },
    async hide(pattern) {
      if (await meta.setPublic(pattern, false)) return
      throw new BaleError('NOT_FOUND', `${printable(pattern, 120)} is not one of the public patterns`, {
        hint: 'the pattern must be exactly as it was published',
      })
    },
    list: () => meta.publicPatterns(),
    repositories: (options) => listVisible(meta, options),
  }
}

/** Repositories after a name that one of `within` and the pattern `only` match, in byte order. */
export async function* listVisible(
  meta: MetaStore,
  { last: start, ...filter }: { last?: string; within?: readonly string[]; only?: string } = {},
): AsyncGenerator<ListedRepository> {
  const patterns = await meta.publicPatterns()
  for (let last = start; ; ) {
    const names = await meta.listRepositories({ ...filter, last, limit: AT_ONCE })
    for (const name of names) yield { name, isPublic: patterns.some((pattern) => matchesPattern(pattern, name)) }
    if (names.length < AT_ONCE) return
    last = names.at(-1)
  }
}
