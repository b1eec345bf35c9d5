import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { errnoOf, type Log } from '#base'
import { BLOCK, type BlockRun, decodeBlockRuns, encodeBlockRuns } from '#format/erofs'
import { readAhead, readBytesSync } from '#host/file'
import { METADATA_NAME } from './layer-files.ts'

/** Not synced: after a crash it may be empty or damaged, and then other blocks are read ahead, or none. */
export function writeMetadataRuns(directory: string, runs: readonly BlockRun[]): void {
  writeFileSync(join(directory, METADATA_NAME), encodeBlockRuns(runs), { mode: 0o444 })
}

/** Milliseconds: a build of many steps mounts the same layers for each of them. */
const LOOK_AGAIN = 60_000

/**
 * Starts reading what every look at the names of a layer needs, with its small files, unless the image is in the page cache. The
 * kernel reads an image's metadata one block at a time, as it is asked for: a `find` over 50,000 files waits for the disk 13,000
 * times. Failures are only logged, since everything works without it.
 */
export function metadataReader(log: Log): { readAhead(images: Iterable<string>): void } {
  const lookedAt = new Map<string, number>()
  return {
    readAhead(images) {
      const now = performance.now()
      for (const image of images) {
        if (now - (lookedAt.get(image) ?? Number.NEGATIVE_INFINITY) < LOOK_AGAIN) continue
        lookedAt.set(image, now)
        readAhead(image, (size) => metadataOf(image, size)).catch((error: unknown) => {
          // Layers that bale 0.1 wrote have no list.
          if (errnoOf(error) !== 'ENOENT')
            log.debug('rootfs', `${image} is not read ahead: ${(error as Error).message}`)
        })
      }
    },
  }
}

function metadataOf(image: string, size: number): { offset: number; length: number }[] {
  const runs = decodeBlockRuns(readBytesSync(join(dirname(image), METADATA_NAME)), size / BLOCK)
  return runs.map(({ first, count }) => ({ offset: first * BLOCK, length: count * BLOCK }))
}
