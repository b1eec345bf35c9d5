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

/**
 * Starts reading what every look at the names of a layer needs, with its small files, unless the image is in the page cache. The kernel reads
 * an image's metadata block by block, as it comes by: `find` over 50,000 files waits for the disk 13,000 times. What goes wrong is
 * told to the log alone, since everything works without it.
 */
export function readMetadataAhead(image: string, log: Log): void {
  const runs = (size: number) => {
    const list = decodeBlockRuns(readBytesSync(join(dirname(image), METADATA_NAME)), size / BLOCK)
    return list.map(({ first, count }) => ({ offset: first * BLOCK, length: count * BLOCK }))
  }
  readAhead(image, runs).catch((error: unknown) => {
    // A layer of bale 0.1.
    if (errnoOf(error) !== 'ENOENT') log.debug('rootfs', `${image} is not read ahead: ${(error as Error).message}`)
  })
}
