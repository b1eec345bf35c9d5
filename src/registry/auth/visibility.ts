import { BaleError, printable } from '#base'
import { checkPattern, type MetaStore, matchesPattern } from '../meta/index.ts'

/** Which repositories everybody may pull from, without a login too. None at first. */
export interface Visibility {
  publish(pattern: string): Promise<void>
  /** NOT_FOUND when exactly this pattern is not public. */
  hide(pattern: string): Promise<void>
  list(): Promise<string[]>
  /** All repositories, in byte order: those after a name, and those that one of `within` and the pattern `only` match. */
  repositories(options?: RepositoryFilter): AsyncIterable<ListedRepository>
}

interface RepositoryFilter {
  last?: string
  within?: readonly string[]
  only?: string
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
    async *repositories({ last: start, ...filter } = {}) {
      const patterns = await meta.publicPatterns()
      for (let last = start; ; ) {
        const names = await meta.listRepositories({ ...filter, last, limit: AT_ONCE })
        for (const name of names) yield { name, isPublic: patterns.some((pattern) => matchesPattern(pattern, name)) }
        if (names.length < AT_ONCE) return
        last = names.at(-1)
      }
    },
  }
}
