import { BaleError, printable } from '#base'
import { isRepository } from '#spec'
import { decide } from '../decide/index.ts'
import type { MetaStore, Redirect } from '../meta/index.ts'

/** Names of repositories, and former ones that are still answered. */
export interface Renames {
  /**
   * Gives a repository another name, with its tags, history, and whatever names exactly it: policies, quotas, rights, what is public. For
   * `redirect` milliseconds (none by default) pulls by the old name are answered by it for those who may read it, and pushes
   * to the old name are refused. CONFLICT when the new name is taken, DENIED when one
   * of them is below the prefix of an upstream.
   */
  rename(from: string, to: string, options?: { redirect?: number }): Promise<void>
  /** Former names that are answered, sorted. */
  list(): Promise<Redirect[]>
  /** Makes a former name free. NOT_FOUND when there is no redirect. */
  end(name: string): Promise<void>
}

/** `prefixes` are those of upstreams. */
export function createRenames(meta: MetaStore, { prefixes }: { prefixes: readonly string[] }): Renames {
  return {
    async rename(from, to, { redirect = 0 } = {}) {
      for (const name of [from, to]) checkName(name)
      if (from === to) throw new BaleError('INVALID_ARGUMENT', `the repository is called ${to} already`)
      if (!Number.isSafeInteger(redirect) || redirect < 0 || redirect > LONGEST) {
        throw new BaleError('INVALID_ARGUMENT', `not a period to redirect for: ${redirect} milliseconds`)
      }
      for (const repository of [from, to]) {
        const refusal = await decide('anyone', 'place', { repository, prefixes })
        if (refusal) throw refusal
      }
      const outcome = await meta.renameRepository(from, to, { redirect })
      if (outcome === 'absent') throw new BaleError('NOT_FOUND', `there is no repository ${from}`)
      if (outcome === 'renamed') return
      throw new BaleError('CONFLICT', `there is a repository ${to}, or one that was called so and is redirected`)
    },
    list: () => meta.listRedirects(),
    async end(name) {
      if (await meta.endRedirect(name)) return
      throw new BaleError('NOT_FOUND', `${printable(name, 255)} is not redirected`)
    },
  }
}

/** A century. */
const LONGEST = 100 * 365 * 86_400_000

function checkName(name: string): void {
  if (!isRepository(name))
    throw new BaleError('INVALID_REFERENCE', `not the name of a repository: ${printable(name, 255)}`)
}
