/**
 * The distribution specification as a table of checks against any served registry. They follow the groups and data sets of the
 * specification's own conformance suite for the version to come (`dev`: 1.1 with digest headers everywhere and tags as
 * parameters), without sparse manifests, which a registry may refuse. What a registry does not offer counts as failed.
 */
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { blobGroups } from './distribution/blob-checks.ts'
import type { CheckGroup } from './distribution/check.ts'
import { type ClientOptions, distributionClient } from './distribution/client.ts'
import { dataSetGroups } from './distribution/data-set-checks.ts'
import { errorGroups } from './distribution/error-checks.ts'
import { firstGroups } from './distribution/first-checks.ts'

export { distributionClient } from './distribution/client.ts'

/** A registry somewhere, behind whatever: it is known by its URL and a login alone. */
export interface CheckedRegistry extends ClientOptions, AsyncDisposable {
  /** Where repositories are made that stay; the login must be allowed to pull, push and delete below it. */
  namespace?: string
}

/** All checks, of content that no registry has seen yet. Groups are independent of each other. */
export function distributionChecks(namespace: string): CheckGroup[] {
  return [...firstGroups(namespace), ...blobGroups(namespace), ...dataSetGroups(namespace), ...errorGroups(namespace)]
}

/** Registers a test for each check. */
export function distributionSuite(name: string, serve: () => Promise<CheckedRegistry>): void {
  test(name, async (t) => {
    await using registry = await serve()
    const client = distributionClient(registry)
    const namespace = `${registry.namespace ?? 'conformance'}/${randomBytes(6).toString('hex')}`
    for (const group of distributionChecks(namespace)) {
      await t.test(group.name, async (t) => {
        for (const check of group.checks) await t.test(check.title, () => check.run(client))
      })
    }
  })
}
