/** Blocks side by side. */
export interface BlockRun {
  first: number
  count: number
}

/** Adds blocks that lie behind all of before, or overlap the last of them. */
export function addBlocks(runs: BlockRun[], first: number, count: number): void {
  const last = runs.at(-1)
  if (last && first <= last.first + last.count) last.count = Math.max(last.count, first + count - last.first)
  else runs.push({ first, count })
}

/** The distance from the end of the run before, and the count, each as a little-endian base-128 number. */
export function encodeBlockRuns(runs: readonly BlockRun[]): Uint8Array {
  const bytes: number[] = []
  let end = 0
  for (const { first, count } of runs) {
    for (let number of [first - end, count]) {
      for (; number >= 128; number = Math.floor(number / 128)) bytes.push((number % 128) | 128)
      bytes.push(number)
    }
    end = first + count
  }
  return Uint8Array.from(bytes)
}

/** Only runs within the first `blocks` blocks: what is damaged gives other runs, or fewer. */
export function decodeBlockRuns(bytes: Uint8Array, blocks: number): BlockRun[] {
  const runs: BlockRun[] = []
  let at = 0
  const number = () => {
    let value = 0
    for (let scale = 1; at < bytes.length; scale *= 128) {
      const byte = bytes[at++]!
      value += (byte % 128) * scale
      if (byte < 128) break
    }
    return value
  }
  for (let end = 0; at < bytes.length; ) {
    const first = end + number()
    const count = number()
    end = first + count
    if (count === 0 || end > blocks) break
    runs.push({ first, count })
  }
  return runs
}
