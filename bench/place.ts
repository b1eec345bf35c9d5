import { mkdtempSync, rmSync } from 'node:fs'
import { spaceAt } from '#host/file'
import { execute } from '../test/kit/bale.ts'
import { mountsBelow } from '../test/kit/temporary.ts'

/** On a disk, since memory has no storage to write to. */
const PARENT = '/var/tmp'

/**
 * A directory for all that a run writes, removed with the object together with what is mounted below it. Throws before anything is written
 * when the disk has less than `bytes` free.
 */
export function benchDirectory(bytes: number): { path: string } & AsyncDisposable {
  const { free } = spaceAt(PARENT)
  const gigabytes = (value: number) => `${(value / 1e9).toFixed(1)} GB`
  if (free < bytes)
    throw new Error(
      `${PARENT} has ${gigabytes(free)} free, and up to ${gigabytes(bytes)} are needed; use a smaller --scale`,
    )
  console.log(`${PARENT} has ${gigabytes(free)} free; up to ${gigabytes(bytes)} are needed, and removed at the end`)
  const path = mkdtempSync(`${PARENT}/bale-bench-`)
  return {
    path,
    [Symbol.asyncDispose]: () => removeWithMounts(path),
  }
}

/** Unmounts what is mounted below a directory, then removes it. */
export async function removeWithMounts(path: string): Promise<void> {
  for (const target of mountsBelow(path).reverse()) await execute('umount', ['-l', target])
  // Through a mount, files of somewhere else would be removed.
  if (mountsBelow(path).length > 0) throw new Error(`${path} is kept, since something is still mounted below it`)
  rmSync(path, { recursive: true, force: true, maxRetries: 5 })
}

/** Aborted by Ctrl-C or a request to end: what runs is ended, what was made is removed, and the process ends. */
export function interruptible(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => {
      console.error(`bench: ${name}: ending what runs, and removing what was made …`)
      controller.abort(new Error(`interrupted by ${name}`))
    })
  return controller.signal
}
