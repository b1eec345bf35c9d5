import type { OperationOptions } from '#base'
import { createTarScanner, type TarEntry } from '#format/tar'
import type { LayerFile } from '../analyser.ts'
import { beginsAsOne } from './begins-as-one.ts'
import { createGivenContents, type GivenContents } from './given-contents.ts'
import type { LayerFiles, LayerVisitor, Wanted } from './layer-files.ts'
import { createLayerNames, type LayerNames } from './layer-names.ts'
import { createSpool, HEAD_BYTES, type Spool } from './spool.ts'

/** Opens the uncompressed tar of a layer from its beginning; what it yields is verified by the end of it. */
type OpenTar = (options: OperationOptions) => Promise<AsyncIterable<Uint8Array>>

/**
 * A layer read from its tar, as it streams: the names of all files are remembered, and of wanted files the content while
 * it is looked at. `temporary` is a directory for large ones. The tar is read a second time only for hard links whose own
 * names are wanted, while the names that they point to were not. Throws INVALID_TAR where the store refuses a layer.
 */
export function tarLayer(open: OpenTar, temporary: string): LayerFiles {
  return {
    async visit(visitor, options = {}) {
      using spools = createSpools(temporary)
      const names = createLayerNames()
      const given = createGivenContents()
      const common = { visitor, spools, given }
      try {
        let missed: ReadonlyMap<number, WantedName[]>
        try {
          const pass = { ...common, namesOf: namesOfEntries(names, visitor), keep: keepingOneOfEachPath(common) }
          await readThrough(pass, open, options)
          options.signal?.throwIfAborted()
        } finally {
          missed = options.signal?.aborted ? new Map() : reportChanges(names, visitor, given)
        }
        const second = {
          ...common,
          namesOf: (_: TarEntry, inode: number) => missed.get(inode) ?? [],
          keep: () => undefined,
        }
        if (missed.size > 0) await readThrough(second, open, options)
        names.check()
        options.signal?.throwIfAborted()
      } finally {
        if (!options.signal?.aborted) await visitor.end?.()
      }
    },
  }
}

/** A name under which the content of a file is wanted. */
interface WantedName {
  readonly file: LayerFile
  readonly wanted: Wanted
}

/** What reads a tar once. */
interface Pass {
  readonly visitor: LayerVisitor
  readonly spools: Spools
  readonly given: GivenContents
  /** Called for each entry; the inode is its number in the tar. */
  namesOf(entry: TarEntry, inode: number): readonly WantedName[]
  /** Called instead of dropping the spool of a file that stays readable until the end. */
  keep(path: string, inode: number, spool: Spool): void
}

function namesOfEntries(names: LayerNames, visitor: LayerVisitor): Pass['namesOf'] {
  return (entry, inode) => {
    const added = names.add(entry, inode)
    if (!added) return []
    const { size, mode } = entry
    const file = { path: added.path, size, mode }
    const wanted = visitor.wants(file)
    added.file.isUnwanted = wanted === undefined
    return wanted ? [{ file, wanted }] : []
  }
}

/** When a path comes many times, only its last file is held. An earlier file that still has another name is read again. */
function keepingOneOfEachPath({ spools, given }: Pick<Pass, 'spools' | 'given'>): Pass['keep'] {
  const kept = new Map<string, { inode: number; spool: Spool }>()
  return (path, inode, spool) => {
    const earlier = kept.get(path)
    kept.set(path, { inode, spool })
    if (!earlier) return
    spools.drop(earlier.spool)
    given.forget(earlier.inode)
  }
}

/** Reports the changes of the layer. Returns, by inode, the names whose contents are wanted but were not given. */
function reportChanges(names: LayerNames, visitor: LayerVisitor, given: GivenContents): Map<number, WantedName[]> {
  const missed = new Map<number, WantedName[]>()
  for (const [change, file] of names.changes()) {
    // Asking takes most of the time, and what was asked of a name need not be asked again.
    const isUnwanted = file?.isUnwanted && !file.isLinked
    const wanted = change.kind === 'file' && !isUnwanted ? visitor.wants(change) : undefined
    visitor.change(change, wanted)
    if (!wanted || change.kind !== 'file' || given.has(change.inode, wanted)) continue
    given.add(change.inode, wanted)
    const name = { file: change, wanted }
    const others = missed.get(change.inode)
    if (others) others.push(name)
    else missed.set(change.inode, [name])
  }
  return missed
}

/** A file whose data is passing by. */
interface Receiving {
  readonly inode: number
  readonly names: readonly WantedName[]
  readonly spool: Spool
  /** False as soon as its first bytes are other than wanted. */
  fits: boolean
}

/** Bytes of the tar between which files are handed over: a kilobyte of it may be a sparse file that takes 4 MB of memory. */
const PIECE = 32 * 1024

async function readThrough(pass: Pass, open: OpenTar, options: OperationOptions): Promise<void> {
  const { spools, given } = pass
  let entries = 0
  let complete: Receiving[] = []
  let receiving: Receiving | undefined

  const scanner = createTarScanner({
    onEntry(entry) {
      const inode = entries++
      const names = pass.namesOf(entry, inode)
      if (names.length > 0) receiving = { inode, names, spool: spools.create(bytesToHold(entry, names)), fits: true }
    },
    onData(entry, bytes, offset) {
      if (!receiving?.fits) return
      for (const [position, piece] of placed(entry, bytes, offset)) receiving.spool.write(position, piece)
      receiving.fits = mayBeginAsWanted(receiving)
      if (!receiving.fits) spools.drop(receiving.spool)
    },
    onEndOfEntry() {
      if (!receiving) return
      for (const { wanted } of receiving.names) given.add(receiving.inode, wanted)
      if (receiving.fits) complete.push(receiving)
      receiving = undefined
    },
  })

  /** Gives what came whole, also when the tar is damaged behind it. */
  async function scan(step: () => void): Promise<void> {
    try {
      step()
    } finally {
      const ready = complete
      complete = []
      for (const one of ready) await hand(one, pass)
    }
  }

  for await (const bytes of await open(options)) {
    options.signal?.throwIfAborted()
    for (let at = 0; at < bytes.length; at += PIECE) await scan(() => scanner.push(bytes.subarray(at, at + PIECE)))
  }
  await scan(() => scanner.end())
}

async function hand({ inode, names, spool }: Receiving, { visitor, spools, keep }: Pass): Promise<void> {
  let keptAs: string | undefined
  try {
    for (const { file, wanted } of names) {
      const readable = spool.file(file)
      if (!(await beginsAsOne(readable, wanted.magic))) continue
      if (wanted.keep) keptAs = file.path
      await visitor.content(readable, inode)
    }
  } finally {
    if (keptAs === undefined) spools.drop(spool)
    else keep(keptAs, inode, spool)
  }
}

function bytesToHold({ size }: TarEntry, names: readonly WantedName[]): number {
  return names.every(({ wanted }) => wanted.headOnly) ? Math.min(size, HEAD_BYTES) : size
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

function mayBeginAsWanted({ names, spool }: Receiving): boolean {
  return names.some(({ wanted }) => !wanted.magic || wanted.magic.some((magic) => spool.mayBeginWith(magic)))
}

interface Spools extends Disposable {
  create(size: number): Spool
  drop(spool: Spool): void
}

/** Drops in the end whatever was not dropped before. */
function createSpools(temporary: string): Spools {
  const all = new Set<Spool>()
  return {
    create(size) {
      const spool = createSpool(size, temporary)
      all.add(spool)
      return spool
    },
    drop(spool) {
      spool.drop()
      all.delete(spool)
    },
    [Symbol.dispose]() {
      for (const spool of all) spool.drop()
    },
  }
}
