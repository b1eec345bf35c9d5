/** The last lines of a step's output, for the message when it fails; and the limit of what is passed on (B13). */
interface OutputTail {
  /** Returns what of it may be shown. */
  add(bytes: Uint8Array): Uint8Array | undefined
  lines(): string[]
}

/** As BuildKit: more output of one step is read, but not passed on. */
const SHOWN_LIMIT = 2 << 20
const KEPT = 8 << 10
const LINES = 20

export function createOutputTail(): OutputTail {
  let shown = 0
  let kept = Buffer.alloc(0)
  let isCut = false
  return {
    add(bytes) {
      const all = Buffer.concat([kept, bytes])
      isCut ||= all.length > KEPT
      kept = all.subarray(-KEPT)
      if (shown >= SHOWN_LIMIT) return undefined
      const part = bytes.subarray(0, SHOWN_LIMIT - shown)
      shown += part.length
      return shown < SHOWN_LIMIT
        ? part
        : Buffer.concat([part, Buffer.from('\n[output clipped, log limit 2MiB reached]\n')])
    },
    lines() {
      const newline = kept.indexOf(0x0a)
      // What was cut off may have ended in the middle of a character.
      const whole = isCut && newline >= 0 ? kept.subarray(newline + 1) : kept
      return whole.toString('utf8').trimEnd().split('\n').slice(-LINES)
    },
  }
}
