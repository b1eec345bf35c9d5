import { createHash } from 'node:crypto'
import type { Selection } from './selection.ts'

/**
 * What the cache knows of copied files: names, types, modes, owners, sizes, link targets, devices, attributes and data.
 * Times never count. `dataDigest` gives a file's digest, so that a copy in progress can hash what it really wrote.
 */
export async function contentDigest(
  selections: readonly Selection[],
  dataDigest: (item: Selection['items'][number]) => Promise<string> = hashData,
): Promise<string> {
  const hash = createHash('sha256')
  for (const { name, items } of selections) {
    hash.update(`source ${JSON.stringify(name)} ${items.length}\n`)
    const first = new Map<string, number>()
    for (const [index, item] of items.entries()) {
      const { entry, relative } = item
      const { type, mode, uid, gid, size, linkName, deviceMajor, deviceMinor, inode, sparse } = entry
      const linked = inode === undefined ? undefined : first.get(inode)
      if (inode !== undefined && linked === undefined) first.set(inode, index)
      const xattrs = [...entry.xattrs].sort(([a], [b]) => (a < b ? -1 : 1))
      const attributes = xattrs.map(([key, value]) => [key, Buffer.from(value).toString('base64')])
      const data = type === 'file' && linked === undefined ? await dataDigest(item) : linked
      // The name of the source itself is not content: it is in the instruction.
      hash.update(
        JSON.stringify([relative, type, mode, uid, gid, size, linkName, deviceMajor, deviceMinor, attributes, data]),
      )
      // The positions of the data in a file whose holes were not read.
      hash.update(sparse ? ` ${JSON.stringify(sparse)}\n` : '\n')
    }
  }
  return hash.digest('hex')
}

/** Lets timers and signals in now and then: reading is synchronous. */
let sinceBreath = 0
const BREATH = 8 << 20

async function hashData(item: Selection['items'][number]): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of item.read()) {
    hash.update(chunk)
    sinceBreath += chunk.length
    if (sinceBreath > BREATH) {
      sinceBreath = 0
      await new Promise(setImmediate)
    }
  }
  return hash.digest('hex')
}
