import type { Writable } from 'node:stream'
import { BaleError } from '#base'

/** A message between the registry and a process that it started. */
export interface Frame {
  /** One letter. */
  kind: string
  bytes: Buffer
}

/** The kind, and the number of bytes that follow. */
const HEAD = 5

/** Fulfilled when the system has it, so that a slow reader holds up the writer. */
export function writeFrame(to: Writable, kind: string, bytes: Uint8Array | string = ''): Promise<void> {
  const body = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
  const head = Buffer.alloc(HEAD)
  head.write(kind, 'latin1')
  head.writeUInt32BE(body.byteLength, 1)
  return new Promise((resolve, reject) => {
    to.write(head)
    to.write(body, (error) => (error ? reject(error) : resolve()))
  })
}

/** Messages as they come. LIMIT_EXCEEDED for one of more than `limit` bytes; INTERNAL when the stream ends within one. */
export async function* readFrames(from: AsyncIterable<Buffer>, limit: number): AsyncGenerator<Frame> {
  let [held, size]: [Buffer[], number] = [[], 0]
  let head: { kind: string; length: number } | undefined
  const take = (count: number) => {
    const all = Buffer.concat(held)
    const rest = all.subarray(count)
    held = [rest]
    size = rest.byteLength
    return all.subarray(0, count)
  }
  for await (const chunk of from) {
    held.push(chunk)
    size += chunk.byteLength
    while (size >= (head ? head.length : HEAD)) {
      if (head) {
        yield { kind: head.kind, bytes: take(head.length) }
        head = undefined
      } else {
        const bytes = take(HEAD)
        head = { kind: bytes.toString('latin1', 0, 1), length: bytes.readUInt32BE(1) }
        if (head.length > limit)
          throw new BaleError('LIMIT_EXCEEDED', `a message has ${head.length} bytes, not ${limit}`)
      }
    }
  }
  if (head || size > 0) throw new BaleError('INTERNAL', 'the process ended within a message')
}
