import { createHash, type Hash, hash } from 'node:crypto'
import type { FileBytes, PieceEntry } from '#format/tar'
import type { SelectedItem } from '../copy/index.ts'

/** The bytes of an item; `tell` gets their digest when all of them were taken. */
export function hashing(
  item: SelectedItem,
  tell: (digest: string) => void,
): ReturnType<Extract<PieceEntry['data'], () => unknown>> {
  const done = (digest: string) => {
    tell(digest)
    item.remember?.(digest)
  }
  const file = item.open?.()
  return file ? new HashedFile(file, item.entry.size, done) : hashingStream(item.read(), done)
}

class HashedFile implements FileBytes {
  readonly #file: FileBytes
  readonly #size: number
  readonly #done: (digest: string) => void
  #running: Hash | undefined

  constructor(file: FileBytes, size: number, done: (digest: string) => void) {
    this.#file = file
    this.#size = size
    this.#done = done
  }

  readInto(target: Uint8Array, at: number, length: number, offset: number): void {
    this.#file.readInto(target, at, length, offset)
    const bytes = target.subarray(at, at + length)
    // A hash in pieces takes longer than all else that is done for a small file.
    if (length === this.#size) this.#done(hash('sha256', bytes, 'hex'))
    else {
      this.#running ??= createHash('sha256')
      this.#running.update(bytes)
      if (offset + length === this.#size) this.#done(this.#running.digest('hex'))
    }
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]?.()
  }
}

async function* hashingStream(
  data: ReturnType<SelectedItem['read']>,
  done: (digest: string) => void,
): AsyncGenerator<Uint8Array> {
  const running = createHash('sha256')
  for await (const chunk of data) {
    running.update(chunk)
    yield chunk
  }
  done(running.digest('hex'))
}
