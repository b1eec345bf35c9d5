import type { DistributionClient } from './client.ts'

/** One requirement, tried on a served registry. It throws when the registry does not meet it or does not offer it. */
export interface Check<Data> {
  name: string
  /**
   * The section of distribution-spec's spec.md (1.1+dev) that demands it, or `conformance`: there the official suite
   * demands what the text only allows.
   */
  source: string
  run(client: DistributionClient, data: Data): Promise<void>
}

/** Checks that share data. They run in order: what one pushes the next may read. */
export interface CheckGroup {
  name: string
  checks: { title: string; run(client: DistributionClient): Promise<void> }[]
}

export function checkGroup<Data>(name: string, data: Data, checks: readonly Check<Data>[]): CheckGroup {
  return {
    name,
    checks: checks.map((check) => ({
      title: `${check.name} (${check.source})`,
      run: (client) => check.run(client, data),
    })),
  }
}
