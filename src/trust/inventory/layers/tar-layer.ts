import type { OperationOptions } from '#base'
import { changeOf, createTarScanner, linkTargetOf, type TarEntry } from '#format/tar'
import type { LayerFile } from '../analyser.ts'
import { beginsAsOne } from './begins-as-one.ts'
import type { LayerChange, LayerFiles, LayerVisitor, Wanted } from './layer-files.ts'
import { createSpool, type Spool } from './spool.ts'

/** Opens the uncompressed tar of a layer from its beginning; what it yields is verified by the end of it. */
type OpenTar = (options: OperationOptions) => Promise<AsyncIterable<Uint8Array>>

/**
 * A layer read from its tar, as it streams: nothing of it is kept but the files that the visitor wants. `temporary` is a
 * directory for wanted files that are large. The tar is read a second time only for hard links whose own names are wanted,
 * while the names that they point to were not.
 */
export function tarLayer(open: OpenTar, temporary: string): LayerFiles {
  return {
    async visit(visitor, options = {}) {
      await using first = createPass(visitor, temporary)
      await readThrough(first, open, options)
      await using second = createPass(linkVisitor(visitor, first.missed), temporary)
      if (first.missed.size > 0) await readThrough(second, open, options)
      await visitor.end?.()
    },
  }
}

async function readThrough(pass: Pass, open: OpenTar, options: OperationOptions): Promise<void> {
  for await (const bytes of await open(options)) {
    options.signal?.throwIfAborted()
    await pass.push(bytes)
  }
  await pass.end()
}

/** Gives files under the names of the hard links to them, and nothing else. */
function linkVisitor(visitor: LayerVisitor, links: ReadonlyMap<string, readonly string[]>): LayerVisitor {
  const wantedLinks = new Map<string, Wanted>()
  return {
    change(change) {
      if (change.kind !== 'file') return undefined
      const found = (links.get(change.path) ?? []).flatMap((path) => {
        const wanted = visitor.change({ ...change, path })
        if (wanted) wantedLinks.set(path, wanted)
        return wanted ?? []
      })
      return found.length === 0 ? undefined : { keep: found.some(({ keep }) => keep) }
    },
    async content(file) {
      for (const path of links.get(file.path) ?? []) {
        const wanted = wantedLinks.get(path)
        if (wanted && (await beginsAsOne(file, wanted.magic))) await visitor.content({ ...file, path })
      }
    },
    link: () => 'nothing',
  }
}

/** A file whose data is passing by. */
interface Receiving extends LayerFile {
  readonly wanted: Wanted
  readonly spool: Spool
  /** False as soon as its first bytes are other than wanted. */
  fits: boolean
}

interface Pass extends AsyncDisposable {
  push(bytes: Uint8Array): Promise<void>
  end(): Promise<void>
  /** Targets of hard links that have to be read again, with the names of the links. */
  readonly missed: ReadonlyMap<string, readonly string[]>
}

function createPass(visitor: LayerVisitor, temporary: string): Pass {
  const missed = new Map<string, string[]>()
  /** By the path of the link. Judged at the end, when all files were looked at, however the stream was cut into pieces. */
  const links = new Map<string, string>()
  const kept: Spool[] = []
  let complete: Receiving[] = []
  let receiving: Receiving | undefined

  const scanner = createTarScanner({
    onEntry(entry) {
      const change = layerChangeOf(entry)
      if (!change) return
      links.delete(change.path)
      if (change.kind === 'link') {
        // It refers to what came before it, so a link to a link is one to the file.
        links.set(change.path, links.get(change.target) ?? change.target)
        visitor.change({ kind: 'other', path: change.path })
        return
      }
      const wanted = visitor.change(change)
      if (!wanted || change.kind !== 'file') return
      const { path, size, mode } = change
      receiving = { path, size, mode, wanted, spool: createSpool(size, temporary), fits: true }
    },
    onData(entry, bytes, offset) {
      if (!receiving?.fits) return
      for (const [position, piece] of placed(entry, bytes, offset)) receiving.spool.write(position, piece)
      receiving.fits = beginsAsWanted(receiving)
      if (!receiving.fits) receiving.spool.drop()
    },
    onEndOfEntry() {
      if (receiving?.fits) complete.push(receiving)
      receiving = undefined
    },
  })

  function judgeLinks(): void {
    for (const [path, target] of links) {
      if (visitor.link(path, target) !== 'content') continue
      const paths = missed.get(target)
      if (paths) paths.push(path)
      else missed.set(target, [path])
    }
  }

  async function hand(): Promise<void> {
    const ready = complete
    complete = []
    for (const { wanted, spool, ...file } of ready) {
      if (wanted.keep) kept.push(spool)
      await visitor.content(spool.file(file))
      if (!wanted.keep) spool.drop()
    }
  }

  return {
    missed,
    async push(bytes) {
      scanner.push(bytes)
      if (complete.length > 0) await hand()
    },
    async end() {
      scanner.end()
      await hand()
      judgeLinks()
    },
    async [Symbol.asyncDispose]() {
      for (const { spool } of [...complete, ...(receiving ? [receiving] : [])]) spool.drop()
      for (const spool of kept) spool.drop()
    },
  }
}

type TarChange = LayerChange | { kind: 'link'; path: string; target: string }

/** Undefined for what has no effect. Throws INVALID_TAR for names that lead out of the layer. */
function layerChangeOf(entry: TarEntry): TarChange | undefined {
  const change = changeOf(entry)
  if (change.kind === 'ignored') return undefined
  const path = change.path.join('/')
  if (change.kind !== 'entry') return { kind: change.kind, path }
  if (entry.type === 'file') return { kind: 'file', path, size: entry.size, mode: entry.mode }
  if (entry.type === 'hardlink') return { kind: 'link', path, target: linkTargetOf(entry).join('/') }
  if (entry.type === 'symlink') return { kind: 'symlink', path, target: entry.linkName }
  return { kind: entry.type === 'directory' ? 'directory' : 'other', path }
}

/** Where bytes of the tar's data are in the file: a sparse file has holes between its segments. */
function* placed(entry: TarEntry, bytes: Uint8Array, offset: number): Generator<[number, Uint8Array]> {
  if (!entry.sparse) return yield [offset, bytes]
  let start = 0
  for (const segment of entry.sparse) {
    const from = Math.max(start, offset)
    const to = Math.min(start + segment.length, offset + bytes.length)
    if (from < to) yield [segment.offset + from - start, bytes.subarray(from - offset, to - offset)]
    start += segment.length
    if (start >= offset + bytes.length) return
  }
}

function beginsAsWanted({ wanted, spool }: Receiving): boolean {
  return wanted.magic === undefined || wanted.magic.some((magic) => spool.mayBeginWith(magic))
}
