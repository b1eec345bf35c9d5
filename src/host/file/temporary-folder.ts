import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { disposable } from '#base'
import { removeTree } from './remove-tree.ts'

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string
}

/** A new folder (mode 0700) that goes, with all that is in it, at the end of the `await using` block. */
export async function temporaryFolder(parent: string, prefix = 'tmp-'): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(parent, prefix))
  return { path, ...disposable(() => removeTree(path)) }
}
