import { BaleError } from '#base'
import { spaceAt } from '#host/file'

const MEBIBYTE = 1024 * 1024

/** How many percent of the disk uploads leave free by default. */
export const MIN_FREE_PERCENT = 1

/**
 * Uploads leave some of the disk free, so that deleting and collecting, which write as well, go on: a share of it, and at
 * least 8 MiB (of a small disk a twentieth). Throws NO_SPACE when writing so many bytes would leave less.
 */
export function checkRoom(directory: string, percent: number, bytes: number): void {
  const { free, size } = spaceAt(directory)
  const least = percent === 0 ? 0 : Math.max((size * percent) / 100, Math.min(8 * MEBIBYTE, size / 20))
  if (free - bytes >= least) return
  const left = Math.floor(free / MEBIBYTE)
  throw new BaleError('NO_SPACE', `the disk of the registry is full but for ${left} MiB; uploads are refused`)
}
