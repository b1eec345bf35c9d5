import { BaleError } from '#base'
import { checkPattern, type MetaStore, matchesPattern } from '../meta/index.ts'

/** Which repositories everybody may pull from, without a login too. None at first. */
export interface Visibility {
  publish(pattern: string): Promise<void>
  /** INVALID_ARGUMENT when exactly this pattern is not public. */
  hide(pattern: string): Promise<void>
  list(): Promise<string[]>
  /** All repositories, in byte order. */
  repositories(): AsyncIterable<{ name: string; isPublic: boolean }>
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
      const patterns = (await meta.publicPatterns()).join(', ') || 'none'
      throw new BaleError('INVALID_ARGUMENT', `${pattern} is not one of the public patterns: ${patterns}`)
    },
    list: () => meta.publicPatterns(),
    async *repositories() {
      const patterns = await meta.publicPatterns()
      for (let last: string | undefined; ; ) {
        const names = await meta.listRepositories({ last, limit: AT_ONCE })
        for (const name of names) yield { name, isPublic: patterns.some((pattern) => matchesPattern(pattern, name)) }
        if (names.length < AT_ONCE) return
        last = names.at(-1)
      }
    },
  }
}
