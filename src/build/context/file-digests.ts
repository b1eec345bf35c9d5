import { lstat, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, errnoOf } from '#base'
import { changedAt, type FileIdentity } from '#host'
import { namesIn, removeOldest, removeTree } from '#host/file'
import { loadDigests, saveDigests } from './digest-file.ts'
import { DigestTable } from './digest-table.ts'

/**
 * The sha256 of files' data as earlier builds found it, by what stat says of a file: an unchanged file is not read again. For plain
 * files without extended attributes to copy. The store has one file of digests for each directory; losing or damaging it
 * costs only time. Decision 0024 says when a time stamp is trusted.
 */
export interface FileDigests {
  /** In hexadecimal; undefined when the file is new or changed. */
  find(identity: FileIdentity): string | undefined
  /** Remembers what was read after `identity` was taken. Of a file that changed a moment ago nothing is remembered. */
  add(identity: FileIdentity, digest: string): void
  /** Writes what is new, for the builds to come. */
  save(): Promise<void>
}

interface Place {
  storeRoot: string
  clock: Clock
}

/** Of the directory with this identity, read when they are first asked for. */
export function openFileDigests(place: Place, directory: FileIdentity): FileDigests {
  return new Digests(place, directory)
}

/**
 * Seconds that a file must have been left alone. Time stamps go in steps (2 s on the coarsest file systems), and a page that a
 * program changes through a mapping leaves them as they are until it has been written back: the kernel begins with that after
 * 30 s, and looks every 5 s.
 */
const SETTLED = 40
const MOST_DIRECTORIES = 16

class Digests implements FileDigests {
  readonly #path: string
  readonly #clock: Clock
  /** In seconds. Earlier than every stat that is asked about, so a file that changes later has another time. */
  readonly #now: number
  readonly #today: number
  #table: DigestTable | undefined
  #changed = false

  constructor({ storeRoot, clock }: Place, directory: FileIdentity) {
    this.#path = join(placeOf(storeRoot), `v1-${[...directory.subarray(0, 4)].join('-')}`)
    this.#clock = clock
    this.#now = clock.now() / 1000
    this.#today = Math.floor(this.#now / 86_400)
  }

  find(identity: FileIdentity): string | undefined {
    const found = this.#loaded().find(identity, this.#today)
    if (found?.isFirstOfDay) this.#changed = true
    return found?.digest
  }

  add(identity: FileIdentity, digest: string): void {
    if (changedAt(identity) + SETTLED > this.#now) return
    this.#loaded().put(identity, this.#today, digest)
    this.#changed = true
  }

  async save(): Promise<void> {
    if (!this.#changed || !this.#table) return
    this.#changed = false
    try {
      const directory = join(this.#path, '..')
      await mkdir(directory, { recursive: true, mode: 0o700 })
      await saveDigests(this.#path, this.#table.kept(this.#today), this.#clock.now())
      await removeOldest(directory, MOST_DIRECTORIES)
    } catch (error) {
      // A full disk, one that is read-only: the next build reads the files again.
      if (errnoOf(error) === undefined) throw error
    }
  }

  #loaded(): DigestTable {
    this.#table ??= new DigestTable(loadDigests(this.#path, this.#clock.now()))
    return this.#table
  }
}

function placeOf(storeRoot: string): string {
  return join(storeRoot, 'context-digests')
}

/** Forgets all; answers the bytes that became free. */
export async function pruneFileDigests(storeRoot: string): Promise<number> {
  const size = await fileDigestsSize(storeRoot)
  await removeTree(placeOf(storeRoot))
  return size
}

/** Bytes on disk. */
export async function fileDigestsSize(storeRoot: string): Promise<number> {
  let size = 0
  for (const name of await namesIn(placeOf(storeRoot))) {
    try {
      size += (await lstat(join(placeOf(storeRoot), name))).blocks * 512
    } catch (error) {
      // Another build has just replaced it.
      if (errnoOf(error) !== 'ENOENT') throw error
    }
  }
  return size
}
