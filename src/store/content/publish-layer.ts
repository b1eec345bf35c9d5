import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { BaleError } from '#base'
import { publishDirectory, randomHex, removeTree } from '#host/file'
import { findLayer, type LayerRecord, type WrittenLayer } from '#store/rows'
import type { Intake } from './core.ts'
import { markVerified } from './verified-mark.ts'

/** A new directory in tmp/ named after the operation's lease, so that others can tell whether its owner is alive. */
export async function scratchDirectory({ layout, lease }: Intake): Promise<{ path: string } & AsyncDisposable> {
  const path = join(layout.temporary, `${lease.id()}-${randomHex(6)}`)
  await mkdir(path, { mode: 0o700 })
  return { path, [Symbol.asyncDispose]: () => removeTree(path) }
}

/** To be called under the layer's lock. An existing layer stays; a directory without a row or a lost one is replaced. */
export async function publishLayer(core: Intake, directory: string, written: WrittenLayer): Promise<LayerRecord> {
  const { database, lease, layout, clock } = core
  const { diffId } = written
  const there = findLayer(core, diffId)
  if (there) {
    lease.hold([{ kind: 'layer', digest: diffId }])
    return there
  }
  const final = layout.layerDirectory(diffId)
  await removeTree(final)
  if ((await publishDirectory(directory, final)) === 'exists') {
    throw new BaleError('CONFLICT', `${final} appeared while its lock was held`)
  }
  await markVerified(core, diffId)
  database.transaction(() => {
    const values = [diffId, core.formats.written, written.tarSize, written.diskSize]
    const content = written.contentSize ?? written.tarSize
    const sql = 'INSERT OR REPLACE INTO layers VALUES (?, ?, ?, ?, ?, ?, ?)'
    database.run(sql, ...values, content, written.imageDigest ?? null, clock.now())
    lease.hold([{ kind: 'layer', digest: diffId }])
  })
  return findLayer(core, diffId)!
}
