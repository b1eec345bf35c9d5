import { type FileHandle, open, stat } from 'node:fs/promises'
import { errnoOf } from '#base'
import type { OutputFrame } from './attach.ts'

/** One record of a container's log. */
export interface LogFrame extends OutputFrame {
  /** As logged, RFC 3339 with nanoseconds. */
  time: string
  /** False when it goes on with a line of this stream whose beginning was an earlier frame. */
  startsLine: boolean
}

export interface LogOptions {
  /** The last lines only. */
  tail?: number
  /** Milliseconds since 1970. */
  since?: number
  until?: number
  /** Goes on with what is written later, until `ended` says so. */
  follow?: { ended: () => Promise<boolean>; signal?: AbortSignal }
}

const CHUNK = 64 * 1024
const POLL_MILLISECONDS = 60
/** A record is at most 8 KiB of data with its header; anything longer is not the monitor's. */
const LONGEST_RECORD = 64 * 1024

/**
 * Reads a log in conmon's k8s-file form: `TIME STREAM F|P DATA`, F when a newline followed the data. Bytes are given as
 * they are. Following goes on when the file is truncated or replaced (rotation).
 */
export async function* readLog(path: string, options: LogOptions = {}): AsyncGenerator<LogFrame> {
  const open = new Set<string>()
  for await (const record of records(path, options)) {
    const frame = parseRecord(record, open)
    if (!frame) continue
    const time = Date.parse(frame.time)
    if (options.since !== undefined && time < options.since) continue
    if (options.until !== undefined && time > options.until) return
    yield frame
  }
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

async function* records(path: string, options: LogOptions): AsyncGenerator<Buffer> {
  const file = await openLog(path, options)
  if (!file) return
  let handle = file
  try {
    let offset = options.tail === undefined ? 0 : await tailOffset(handle, options.tail)
    let rest: Buffer = Buffer.alloc(0)
    for (;;) {
      // Asked before reading: what is written until the end was known is still read.
      const ended = (await options.follow?.ended()) ?? true
      for (;;) {
        const { bytesRead, buffer } = await handle.read(Buffer.alloc(CHUNK), 0, CHUNK, offset)
        if (bytesRead === 0) break
        offset += bytesRead
        const split = splitLines(Buffer.concat([rest, buffer.subarray(0, bytesRead)]))
        rest = split.rest.length > LONGEST_RECORD ? Buffer.alloc(0) : split.rest
        yield* split.lines
      }
      if (ended || options.follow?.signal?.aborted) return
      const next = await replaced(handle, path, offset)
      if (next) {
        if (next !== handle) await handle.close()
        handle = next
        offset = 0
        rest = Buffer.alloc(0)
      } else await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS))
    }
  } finally {
    await handle.close()
  }
}

async function openLog(path: string, options: LogOptions): Promise<FileHandle | undefined> {
  for (;;) {
    try {
      return await open(path, 'r')
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
      if (!options.follow || options.follow.signal?.aborted || (await options.follow.ended())) return undefined
      await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS))
    }
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

/** The file to go on with from its beginning: another one under the name, or the same one made shorter. */
async function replaced(handle: FileHandle, path: string, offset: number): Promise<FileHandle | undefined> {
  const held = await handle.stat()
  if (held.size < offset) return handle
  try {
    const named = await stat(path)
    return named.ino === held.ino ? undefined : await open(path, 'r')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Where the last `count` lines begin; records that are parts of one line count once. Reads backwards. */
async function tailOffset(handle: FileHandle, count: number): Promise<number> {
  const { size } = await handle.stat()
  if (count <= 0) return size
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
      if (isComplete(record) || lines === 0) {
        if (lines === count) return lineStart
        lines++
      }
      lineStart = position + previous + 1
      tail = tail.subarray(0, previous + 1)
      end = previous
    }
  }
  return 0
}

function isComplete(record: Buffer): boolean {
  const stream = record.indexOf(0x20)
  return record[record.indexOf(0x20, stream + 1) + 1] === 0x46
}
