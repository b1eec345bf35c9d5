import { type FileHandle, stat } from 'node:fs/promises'
import { errnoOf } from '#base'
import type { OutputFrame } from './attach.ts'
import { type LogPlace, type OpenLog, openLog } from './log-files.ts'

/** One record of a container's log. */
export interface LogFrame extends OutputFrame {
  /** As logged, RFC 3339 with nanoseconds. */
  time: string
  /** False when it continues a line of this stream that an earlier frame began. */
  startsLine: boolean
}

export interface ReadLogOptions {
  /** The last lines only. */
  tail?: number
  /** Nanoseconds since 1970. */
  since?: bigint
  until?: bigint
  /** Continues with later output until `ended` is true or `until` has passed. */
  follow?: { ended: () => Promise<boolean>; signal?: AbortSignal }
}

const CHUNK = 64 * 1024
const POLL_MILLISECONDS = 60
/** A record is at most 8 KiB of data with its header; anything longer is not the monitor's. */
const LONGEST_RECORD = 64 * 1024

/**
 * Reads a log in conmon's k8s-file form: `TIME STREAM F|P DATA`, F when a newline followed the data. Bytes are given as
 * they are. Rotated files are read first; following continues across a rotation without losing a line.
 */
export async function* readLog(place: LogPlace, options: ReadLogOptions = {}): AsyncGenerator<LogFrame> {
  const unfinished = new Set<string>()
  const { since, until } = options
  for await (const record of records(place, options)) {
    const frame = parseRecord(record, unfinished)
    if (!frame) continue
    if (since !== undefined || until !== undefined) {
      const time = nanosecondsOf(frame.time)
      if (since !== undefined && time < since) continue
      if (until !== undefined && time > until) return
    }
    yield frame
  }
}

/** Nanoseconds since 1970 of a record's time. */
function nanosecondsOf(time: string): bigint {
  const [, seconds = '', fraction = '', zone = ''] = /^([^.+Z]{19})(?:\.(\d{1,9})\d*)?(.*)$/.exec(time) ?? []
  const milliseconds = Date.parse(`${seconds}${zone}`)
  if (Number.isNaN(milliseconds)) return 0n
  return BigInt(milliseconds) * 1_000_000n + BigInt(fraction.padEnd(9, '0'))
}

function parseRecord(line: Buffer, unfinished: Set<string>): LogFrame | undefined {
  const first = line.indexOf(0x20)
  const second = line.indexOf(0x20, first + 1)
  const third = second + 2
  if (first < 0 || second < 0 || line[third] !== 0x20) return undefined
  const stream = line.toString('latin1', first + 1, second)
  if (stream !== 'stdout' && stream !== 'stderr') return undefined
  const complete = line[second + 1] === 0x46
  const data = line.subarray(third + 1)
  const startsLine = !unfinished.has(stream)
  if (complete) unfinished.delete(stream)
  else unfinished.add(stream)
  return {
    stream,
    time: line.toString('latin1', 0, first),
    startsLine,
    bytes: complete ? Buffer.concat([data, Buffer.of(0x0a)]) : data,
  }
}

async function* records(place: LogPlace, options: ReadLogOptions): AsyncGenerator<Buffer> {
  let log = await openWhenThere(place, options)
  let rest: Buffer = Buffer.alloc(0)
  try {
    let { index, offset } = await tailStart(log.handles, options.tail)
    while (index < log.handles.length) {
      const handle = log.handles[index]!
      // Checked before reading, so that all output from before the end is read.
      const over = await isOver(options)
      for (;;) {
        const { bytesRead, buffer } = await handle.read(Buffer.alloc(CHUNK), 0, CHUNK, offset)
        if (bytesRead === 0) break
        offset += bytesRead
        const split = splitLines(Buffer.concat([rest, buffer.subarray(0, bytesRead)]))
        rest = split.rest.length > LONGEST_RECORD ? Buffer.alloc(0) : split.rest
        yield* split.lines
      }
      if (options.follow?.signal?.aborted) return
      if (index < log.handles.length - 1) {
        index++
        offset = 0
        continue
      }
      const next = await whatFollows(handle, place, offset, log.generation)
      if (next) {
        if (next !== 'again') {
          await closeAll(log)
          log = next
          index = 0
        }
        offset = 0
        rest = Buffer.alloc(0)
      } else if (over) return
      else await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS))
    }
  } finally {
    await closeAll(log)
  }
}

async function closeAll({ handles }: OpenLog): Promise<void> {
  for (const handle of handles) await handle.close()
}

async function isOver({ follow, until }: ReadLogOptions): Promise<boolean> {
  if (!follow) return true
  return (until !== undefined && BigInt(Date.now()) * 1_000_000n > until) || (await follow.ended())
}

async function openWhenThere(place: LogPlace, options: ReadLogOptions): Promise<OpenLog> {
  for (;;) {
    const over = await isOver(options)
    const log = await openLog(place)
    if (log.handles.length > 0 || over || options.follow?.signal?.aborted) return log
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS))
  }
}

function splitLines(bytes: Buffer): { lines: Buffer[]; rest: Buffer } {
  const lines: Buffer[] = []
  let start = 0
  for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, start)) {
    lines.push(bytes.subarray(start, end))
    start = end + 1
  }
  return { lines, rest: bytes.subarray(start) }
}

/** The files to go on with when another one has the name now, or `again` when the same one was made shorter. */
async function whatFollows(
  handle: FileHandle,
  place: LogPlace,
  offset: number,
  generation: number,
): Promise<OpenLog | 'again' | undefined> {
  const held = await handle.stat()
  if (held.size < offset) return 'again'
  try {
    if ((await stat(place.path)).ino === held.ino) return undefined
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
  const next = await openLog(place, generation)
  return next.handles.length > 0 ? next : undefined
}

/** Where the last lines begin, over all files. */
async function tailStart(
  handles: readonly FileHandle[],
  tail: number | undefined,
): Promise<{ index: number; offset: number }> {
  if (tail === undefined) return { index: 0, offset: 0 }
  let wanted = tail
  for (let index = handles.length - 1; index >= 0; index--) {
    const { offset, lines } = await tailOffset(handles[index]!, wanted, index === handles.length - 1)
    wanted -= lines
    if (wanted <= 0 && offset > 0) return { index, offset }
  }
  return { index: 0, offset: 0 }
}

/** Where the last `count` lines begin; records that are parts of one line count once. Reads backwards. */
async function tailOffset(
  handle: FileHandle,
  count: number,
  isNewest: boolean,
): Promise<{ offset: number; lines: number }> {
  const { size } = await handle.stat()
  if (count <= 0) return { offset: size, lines: 0 }
  let lines = 0
  let lineStart = size
  let tail: Buffer = Buffer.alloc(0)
  for (let position = size; position > 0; ) {
    const length = Math.min(CHUNK, position)
    position -= length
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, position)
    tail = Buffer.concat([buffer, tail])
    for (let end = tail.lastIndexOf(0x0a); end >= 0; ) {
      const previous = end === 0 ? -1 : tail.lastIndexOf(0x0a, end - 1)
      if (previous < 0 && position > 0) break
      const record = tail.subarray(previous + 1, end)
      if (isComplete(record) || (lines === 0 && isNewest)) {
        if (lines === count) return { offset: lineStart, lines }
        lines++
      }
      lineStart = position + previous + 1
      tail = tail.subarray(0, previous + 1)
      end = previous
    }
  }
  return { offset: 0, lines }
}

function isComplete(record: Buffer): boolean {
  const stream = record.indexOf(0x20)
  return record[record.indexOf(0x20, stream + 1) + 1] === 0x46
}
