import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { disposable } from '#base'
import { removeTree } from './remove-tree.ts'

interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string
}

/** A new directory (mode 0700) that goes, with all that is in it, at the end of the `await using` block. */
export async function temporaryDirectory(parent: string, prefix = 'tmp-'): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(parent, prefix))
  return { path, ...disposable(() => removeTree(path)) }
}
