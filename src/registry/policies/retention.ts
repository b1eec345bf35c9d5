import type { MetaStore, UnkeptTag } from '../meta/index.ts'

/** Removes what policies do not keep, in all repositories that they apply to. Returns how many tags. */
export async function removeUnkeptTags(meta: MetaStore, signal?: AbortSignal): Promise<number> {
  let removed = 0
  for await (const repository of repositoriesWithin(meta, { signal })) removed += await meta.removeUnkept(repository)
  return removed
}

interface Looking {
  /** A pattern of repositories. */
  only?: string
  signal?: AbortSignal
}

/** What a collection would remove at this moment. */
export async function listUnkeptTags(
  meta: MetaStore,
  looking: Looking,
): Promise<(UnkeptTag & { repository: string })[]> {
  const found: (UnkeptTag & { repository: string })[] = []
  for await (const repository of repositoriesWithin(meta, looking)) {
    for (const tag of await meta.unkeptTags(repository)) found.push({ repository, ...tag })
  }
  return found
}

const PAGE = 100

async function* repositoriesWithin(meta: MetaStore, { only, signal }: Looking): AsyncGenerator<string> {
  const within = (await meta.listPolicies()).flatMap(({ kind, pattern }) => (kind === 'keep' ? [pattern] : []))
  if (within.length === 0) return
  for (let last: string | undefined, more = true; more; ) {
    const page = await meta.listRepositories({ within, only, limit: PAGE, last })
    for (const repository of page) {
      signal?.throwIfAborted()
      yield repository
    }
    last = page.at(-1)
    more = page.length === PAGE
  }
}
