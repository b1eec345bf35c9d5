import { createHash, hash } from 'node:crypto'
import type { TreeEntry } from '../context/index.ts'
import { breather } from './breather.ts'
import type { SelectedItem, Selection } from './selection.ts'

interface ContentDigestOptions {
  /** A file's digest, so that a copy in progress can hash what it really wrote. */
  dataDigest?(item: SelectedItem): string | undefined
  signal?: AbortSignal
}

/**
 * What the cache knows of copied files: names, types, modes, owners, sizes, link targets, devices, attributes and data.
 * Times never count.
 */
export async function contentDigest(
  selections: readonly Selection[],
  { dataDigest, signal }: ContentDigestOptions = {},
): Promise<string> {
  const running = createHash('sha256')
  const breathe = breather(signal)
  let text = ''
  for (const { name, items } of selections) {
    // A NUL ends what may contain anything else: names, and the targets of links.
    text += `${VERSION} ${items.length} ${name}\0`
    const first = new Map<string, number>()
    for (const [index, item] of items.entries()) {
      const { entry, relative } = item
      const linked = entry.inode === undefined ? undefined : first.get(entry.inode)
      if (entry.inode !== undefined && linked === undefined) first.set(entry.inode, index)
      text += `${relative}\0${entry.linkName}\0${attributesOf(entry)} `
      if (linked !== undefined) text += `link ${linked}\n`
      else if (entry.type !== 'file') text += '\n'
      else {
        const digest = dataDigest?.(item) ?? entry.known?.digest ?? hashSmall(item) ?? (await hashData(item, signal))
        text += `${digest}\n`
        const waits = entry.known?.digest === undefined && breathe(entry.size + OPENING)
        if (waits) await waits
      }
      if (text.length < PIECE) continue
      running.update(text, 'latin1')
      text = ''
    }
  }
  return running.update(text, 'latin1').digest('hex')
}

/** Of this text. The keys of builds with another one find nothing. */
const VERSION = 2
const PIECE = 64 << 10
/** Opening and closing a file take as long as reading so many bytes. */
const OPENING = 16 << 10

function attributesOf({ type, mode, uid, gid, size, deviceMajor, deviceMinor, xattrs, sparse }: TreeEntry): string {
  let text = `${type} ${mode} ${uid} ${gid} ${size} ${deviceMajor} ${deviceMinor}`
  if (xattrs.size > 0) {
    const sorted = [...xattrs].sort(([a], [b]) => (a < b ? -1 : 1))
    text += JSON.stringify(sorted.map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
  }
  // The positions of the data in a file whose holes were not read.
  return sparse ? text + JSON.stringify(sparse) : text
}

function hashSmall(item: SelectedItem): string | undefined {
  const bytes = item.readAtOnce?.()
  if (!bytes) return undefined
  const digest = hash('sha256', bytes, 'hex')
  item.remember?.(digest)
  return digest
}

async function hashData(item: SelectedItem, signal: AbortSignal | undefined): Promise<string> {
  const running = createHash('sha256')
  const breathe = breather(signal)
  for await (const chunk of item.read()) {
    running.update(chunk)
    const waits = breathe(chunk.length)
    if (waits) await waits
  }
  const digest = running.digest('hex')
  item.remember?.(digest)
  return digest
}
