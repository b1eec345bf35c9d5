import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BaleError } from '#base'
import { type Configuration, loadCredentials } from './configuration/index.ts'
import { openShared, type Surroundings } from './configured.ts'
import { openEmbedded } from './embedded.ts'
import { thawSqliteMeta } from './meta/index.ts'
import { type Moved, type MoveOptions, moveRegistry } from './move/index.ts'

/**
 * Moves the embedded registry in a directory, which may be served, to the database and the object store of a scaled-out one,
 * which is not served yet. See `moveRegistry`.
 */
export async function moveEmbedded(
  directory: string,
  to: Configuration,
  { environment, clock }: Surroundings,
  options: MoveOptions = {},
): Promise<Moved> {
  checkThere(directory)
  if (to.content.kind === 'embedded') {
    throw new BaleError(
      'INVALID_ARGUMENT',
      'a registry is moved to a database and an object store, not to a directory',
      {
        hint: 'a copy of a directory is a backup',
      },
    )
  }
  const credentials = await loadCredentials(to, environment)
  await using opened = new AsyncDisposableStack()
  const from = await openEmbedded(directory, clock)
  opened.defer(() => from.meta.close())
  const shared = await openShared(to.content, credentials)
  opened.defer(() => shared.meta.close())
  return await moveRegistry({ directory, from, to: { ...shared, secret: credentials.secret! } }, options)
}

/** Has an embedded registry take changes again that was moved. What came to the new place meanwhile is not in it. */
export function takeChangesAgain(directory: string): void {
  checkThere(directory)
  thawSqliteMeta(join(directory, 'registry.db'))
}

function checkThere(directory: string): void {
  if (existsSync(join(directory, 'registry.db'))) return
  throw new BaleError('INVALID_ARGUMENT', `there is no registry in ${directory}`)
}
