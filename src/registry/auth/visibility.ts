import { BaleError, printable } from '#base'
import type { Readable } from '../decide/index.ts'
import type { MetaStore } from '../meta/index.ts'
import { checkPattern, firstPart, matchesPattern } from '../pattern/index.ts'

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

/** Finds what is public about repositories; of several of one owner it is asked once. */
export function openOnce(meta: MetaStore): (repository: string) => Promise<string[]> {
  const looked = new Map<string, Promise<string[]>>()
  return (repository) => {
    const key = firstPart(repository)
    const known = looked.get(key) ?? meta.publicPatterns(repository)
    looked.set(key, known)
    return known
  }
}

/** Those that somebody is shown, after a name, in byte order. */
export async function* listVisible(
  meta: MetaStore,
  { last: start, ...filter }: Readable & { last?: string } = {},
): AsyncGenerator<ListedRepository> {
  const open = openOnce(meta)
  for (let last = start; ; ) {
    const names = await meta.listRepositories({ ...filter, last, limit: AT_ONCE })
    for (const name of names) {
      yield { name, isPublic: (await open(name)).some((pattern) => matchesPattern(pattern, name)) }
    }
    if (names.length < AT_ONCE) return
    last = names.at(-1)
  }
}
