import { BaleError } from '#base'

/** About a name under which something would come into being that is this registry's own. */
export interface PlaceFacts {
  repository: string
  /** Below these names is what comes from other registries. */
  prefixes: readonly string[]
}

/** DENIED below a prefix of an upstream, which alone fills it. */
export function objectionToPlace({ repository, prefixes }: PlaceFacts): BaleError | undefined {
  const prefix = prefixes.find((one) => repository.startsWith(`${one}/`))
  if (prefix === undefined) return undefined
  return new BaleError('DENIED', `${repository} comes from ${prefix}, which alone fills it`, {
    details: { repository, upstream: prefix },
  })
}
