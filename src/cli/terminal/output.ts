import { writeSync } from 'node:fs'
import { errnoOf } from '#base'

/** For what comes before a verb: help, the version. That nobody reads it is no failure. */
export function say(text: string, to: 'stdout' | 'stderr' = 'stdout'): void {
  openOutput(to, (error) => {
    if (!['EPIPE', 'EIO'].includes(errnoOf(error) ?? '')) throw error
  }).write(text)
}

type Stream = typeof process.stdout | typeof process.stderr

/**
 * Standard output or standard error. What is written goes out at once, as Node's own streams do it here; those are opened when
 * somebody asks for one, or when the reader is slow: loading what they are made of takes a fifth of a short command's time.
 */
export interface Output {
  readonly stream: Stream
  /** False when the reader is slow: then the stream will say `drain`. */
  write(data: string | Uint8Array): boolean
}

const streams = new Set<Stream>()

/** Fulfilled when a slow reader has taken all that was written, or has gone. */
export async function written(): Promise<void> {
  for (const stream of streams) {
    if (stream.writableLength === 0 || stream.destroyed) continue
    await new Promise<unknown>((resolve) => stream.once('close', resolve).write('', resolve))
  }
}

/** `onError` learns that the reader has gone, by EPIPE or EIO; other failures are thrown. */
export function openOutput(name: 'stdout' | 'stderr', onError: (error: NodeJS.ErrnoException) => void): Output {
  let opened: Stream | undefined
  const stream = (): Stream => {
    opened ??= process[name].on('error', onError)
    streams.add(opened)
    return opened
  }
  return {
    get stream() {
      return stream()
    },
    write(data) {
      if (opened) return opened.write(data)
      const bytes = typeof data === 'string' ? Buffer.from(data) : data
      for (let at = 0; at < bytes.length; ) {
        try {
          at += writeSync(name === 'stdout' ? 1 : 2, bytes, at)
        } catch (error) {
          if (errnoOf(error) === 'EAGAIN') return stream().write(bytes.subarray(at))
          onError(error as NodeJS.ErrnoException)
          return true
        }
      }
      return true
    },
  }
}
