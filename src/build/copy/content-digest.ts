import { createHash, hash } from 'node:crypto'
import { BaleError } from '#base'
import { shown, type TreeEntry } from '../context/index.ts'
import { breather } from './breather.ts'
import type { SelectedItem, Selection } from './selection.ts'

/**
 * What the cache knows of copied files: names, types, modes, owners, sizes, link targets, devices, attributes and data.
 * Times never count.
 */
export async function contentDigest(
  selections: readonly Selection[],
  { signal }: { signal?: AbortSignal } = {},
): Promise<string> {
  const content = new ContentHasher()
  for (const selection of selections) await content.add(selection, { signal })
  return content.digest()
}

/** The digest of selections that come one after the other. */
export class ContentHasher {
  readonly #running = createHash('sha256')
  #text = ''
  #count = 0
  #written: string | undefined
  /** By inode, the number of the item that had it first. */
  #first = new Map<string, number>()

  /** Reads files whose digest is not known. */
  async add({ name, items }: Selection, { signal }: { signal?: AbortSignal }): Promise<void> {
    const breathe = breather(signal)
    this.#begin(name)
    for (const item of items) {
      const known = item.entry.known?.digest
      const hasData = this.#hasData(item)
      if (hasData) this.#item(item, known ?? hashSmall(item) ?? (await hashData(item, signal)))
      else this.#item(item)
      const waits = breathe(hasData && known === undefined ? item.entry.size + OPENING : LISTING)
      if (waits) await waits
    }
    this.#end()
  }

  /**
   * The same selection, for somebody who reads each item before taking the next and reports the digest of what was read by `wrote`:
   * that is what counts, should a file have changed since it was listed.
   */
  following({ items, ...selection }: Selection): Selection {
    return { ...selection, items: { [Symbol.iterator]: () => this.#follow(selection.name, items) } }
  }

  /** Of the data of the item that was taken last. */
  wrote(digest: string): void {
    this.#written = digest
  }

  digest(): string {
    return this.#running.update(this.#text, 'latin1').digest('hex')
  }

  *#follow(name: string, items: Iterable<SelectedItem>): Generator<SelectedItem> {
    this.#begin(name)
    for (const item of items) {
      this.#written = undefined
      yield item
      if (this.#hasData(item) && this.#written === undefined)
        throw new BaleError('INTERNAL', `${shown(item.relative)} was copied without its data`)
      this.#item(item, this.#written)
    }
    this.#end()
  }

  #begin(name: string): void {
    this.#count = 0
    this.#first = new Map()
    // A NUL ends what may contain anything else: names, and the targets of links.
    this.#text += `${VERSION} ${name}\0`
  }

  #hasData({ entry: { type, inode } }: SelectedItem): boolean {
    return type === 'file' && (inode === undefined || !this.#first.has(inode))
  }

  #item({ entry, relative }: SelectedItem, digest?: string): void {
    const linked = entry.inode === undefined ? undefined : this.#first.get(entry.inode)
    if (entry.inode !== undefined && linked === undefined) this.#first.set(entry.inode, this.#count)
    this.#count++
    this.#text += `${relative}\0${entry.linkName}\0${attributesOf(entry)} ${linked === undefined ? (digest ?? '') : `link ${linked}`}\n`
    if (this.#text.length < PIECE) return
    this.#running.update(this.#text, 'latin1')
    this.#text = ''
  }

  /** No item has such attributes. */
  #end(): void {
    this.#text += `\0\0= ${this.#count}\n`
  }
}

/** Of this text. The keys of builds with another one find nothing. */
const VERSION = 3
const PIECE = 64 << 10
/** Listing an entry takes as long as reading so many bytes. */
const LISTING = 8 << 10
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
