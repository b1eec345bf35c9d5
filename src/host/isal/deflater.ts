import { type Bindings, DEFLATE, LEVEL, LEVEL_BUFFER, SYNC_FLUSH } from './bindings.ts'
import { type NativeMemory, nativeMemory } from './native-memory.ts'

/** Longest block. */
const BLOCK = 1 << 20
/** What cannot be compressed is stored, with five bytes for each 64 KiB at most. */
const OUTPUT = BLOCK + (64 << 10)

interface Work {
  stream: NativeMemory
  level: NativeMemory
  input: NativeMemory
  output: NativeMemory
}

/**
 * Deflates blocks by one level. What comes out depends on the block, its dictionary and the library only: each block
 * begins with all state set anew and is given in one piece, with room for all that may come out.
 */
export class IsalDeflater {
  readonly #bindings: Bindings
  readonly #idle: Work[] = []

  constructor(bindings: Bindings) {
    this.#bindings = bindings
  }

  /** Bare deflate blocks, ended on a byte border; the last one is not marked. On a thread of libuv's pool. */
  async deflate(block: Uint8Array, dictionary: Uint8Array | undefined): Promise<Buffer> {
    if (block.length > BLOCK) throw new Error('wrong use of ISA-L')
    const work = this.#idle.pop() ?? makeWork()
    try {
      return await this.#run(work, block, dictionary)
    } finally {
      this.#idle.push(work)
    }
  }

  async #run({ stream, level, input, output }: Work, block: Uint8Array, dictionary?: Uint8Array): Promise<Buffer> {
    input.bytes.set(block)
    const fields = stream.bytes
    this.#bindings.deflateInit(fields)
    fields.writeUInt32LE(LEVEL, DEFLATE.level)
    fields.writeUInt32LE(LEVEL_BUFFER, DEFLATE.levelBufferSize)
    fields.writeBigUInt64LE(level.address, DEFLATE.levelBuffer)
    fields.writeUInt16LE(SYNC_FLUSH, DEFLATE.flush)
    fields.writeBigUInt64LE(input.address, DEFLATE.nextIn)
    fields.writeUInt32LE(block.length, DEFLATE.availableIn)
    fields.writeBigUInt64LE(output.address, DEFLATE.nextOut)
    fields.writeUInt32LE(OUTPUT, DEFLATE.availableOut)
    if (dictionary && this.#bindings.setDictionary(fields, dictionary) !== 0)
      throw new Error('ISA-L takes no dictionary')
    const result = await this.#bindings.deflateLater(fields)
    const left = fields.readUInt32LE(DEFLATE.availableOut)
    if (result !== 0 || fields.readUInt32LE(DEFLATE.availableIn) !== 0 || left === 0 || left > OUTPUT)
      throw new Error(`ISA-L did not compress a block (${result})`)
    return Buffer.from(output.bytes.subarray(0, OUTPUT - left))
  }
}

function makeWork(): Work {
  return {
    stream: nativeMemory(DEFLATE.size),
    level: nativeMemory(LEVEL_BUFFER),
    input: nativeMemory(BLOCK),
    output: nativeMemory(OUTPUT),
  }
}
