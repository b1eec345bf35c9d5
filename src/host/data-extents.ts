import { errnoOf } from '#base'
import { lseek, SEEK } from './kernel/syscalls.ts'

/** Holes are counted in whole pieces of this size, so that the block size of a file system matters little. */
const PIECE = 1 << 20
/** Below this a file counts as one without holes: its zeros cost less than two representations of one content. */
export const SMALLEST_SPARSE = 256 << 20

interface Extent {
  offset: number
  length: number
}

/** Where a file has data: the first such byte from a position on (the size when there is none), and the end of that data. */
export interface DataPlaces {
  nextData(position: number): number
  nextHole(position: number): number
}

/**
 * Where an open file of `size` bytes has data, when its holes are too large to be read as zeros; undefined
 * for a file that is best read from front to back.
 */
export function sparseExtents(fd: number, size: number): Extent[] | undefined {
  return extentsWithHoles(size, () => ({
    nextData: (position) => nextData(fd, position, size),
    nextHole: (position) => lseek(fd, position, SEEK.HOLE),
  }))
}

/** The same for a file whose places are known otherwise. `places` is asked when the file is large enough for holes to matter. */
export function extentsWithHoles(size: number, places: () => DataPlaces): Extent[] | undefined {
  if (size < SMALLEST_SPARSE) return undefined
  const { nextData, nextHole } = places()
  const extents: Extent[] = []
  let data = 0
  for (let position = 0; position < size; ) {
    const start = nextData(position)
    const end = start < size ? Math.min(size, nextHole(start)) : size
    const from = start < size ? floor(start) : size
    const to = start < size ? Math.min(size, floor(end + PIECE - 1)) : size
    const last = extents.at(-1)
    if (last && from <= last.offset + last.length) last.length = Math.max(last.length, to - last.offset)
    else if (to > from) extents.push({ offset: from, length: to - from })
    position = end
  }
  for (const { length } of extents) data += length
  return size - data >= SMALLEST_SPARSE ? extents : undefined
}

function floor(position: number): number {
  return position - (position % PIECE)
}

/** The size, when there is no more. A filesystem without holes reports data everywhere. */
function nextData(fd: number, position: number, size: number): number {
  try {
    return lseek(fd, position, SEEK.DATA)
  } catch (error) {
    if (errnoOf(error) === 'ENXIO') return size
    if (errnoOf(error) === 'EINVAL' && position === 0) return 0
    throw error
  }
}
