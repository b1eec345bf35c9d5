import { type Bindings, INFLATE, INFLATE_ERRORS, ISAL_BLOCK_FINISH, ISAL_GZIP_NO_HDR } from './bindings.ts'
import { type NativeMemory, nativeMemory, sameMemory } from './native-memory.ts'

/** What one call did. */
interface Inflated {
  /** Position in the input after what was used; up to eight bytes may lie before `from`, taken by the call before. */
  at: number
  /** Bytes written to the output. */
  made: number
  /** The stream's last block is complete and written out. */
  ended: boolean
}

/** Bytes of input that a call may have taken without using them: the decoder's buffer of 64 bits. */
const TAKEN = 8
const INPUT = 128 * 1024
const OUTPUT = 256 * 1024

/** Inflates bare deflate streams, one after the other, from memory of its own into memory of its own. One call at a time. */
export class IsalInflater {
  readonly #bindings: Bindings
  readonly #state = nativeMemory(INFLATE.size)
  readonly #input = nativeMemory(INPUT)
  #output: NativeMemory | undefined
  readonly #idle: NativeMemory[] = []
  #busy = false

  constructor(bindings: Bindings) {
    this.#bindings = bindings
  }

  /** To be filled by the caller; not while a call runs. */
  get input(): Uint8Array {
    return this.#input.bytes
  }

  /** Begins with the next stream. */
  start(): void {
    this.#bindings.inflateInit(this.#state.bytes)
    this.#state.bytes.writeUInt32LE(ISAL_GZIP_NO_HDR, INFLATE.crcFlag)
  }

  /** CRC-32 of what came out since `start`. */
  get checksum(): number {
    return this.#state.bytes.readUInt32LE(INFLATE.crc)
  }

  /** Memory for what comes out. */
  get output(): Uint8Array {
    this.#output ??= this.#idle.pop() ?? nativeMemory(OUTPUT)
    return this.#output.bytes
  }

  /** Gives the output to the caller, for good unless it is given back. */
  takeOutput(): Uint8Array {
    const { output } = this
    this.#output = undefined
    return output
  }

  /** Takes an output back that nobody looks at any more: new memory costs more than what is done with it. */
  giveBack(output: Uint8Array): void {
    if (output.length !== OUTPUT) throw new Error('wrong use of ISA-L')
    this.#idle.push(sameMemory(output))
  }

  /**
   * Inflates input[from, to) to output[begin, …) until either is used up or the stream ends; on a thread of libuv's pool,
   * unless it is little: then `here`. Throws an Error with zlib's words when the stream is damaged.
   */
  async inflate(from: number, to: number, begin: number, here: boolean): Promise<Inflated> {
    const { output } = this
    const target = this.#output!.address + BigInt(begin)
    if (this.#busy || from < 0 || from > to || to > INPUT || begin >= output.length)
      throw new Error('wrong use of ISA-L')
    const state = this.#state.bytes
    state.writeBigUInt64LE(this.#input.address + BigInt(from), INFLATE.nextIn)
    state.writeUInt32LE(to - from, INFLATE.availableIn)
    state.writeBigUInt64LE(target, INFLATE.nextOut)
    state.writeUInt32LE(output.length - begin, INFLATE.availableOut)
    this.#busy = true
    let result: number
    try {
      result = here ? this.#bindings.inflate(state) : await this.#bindings.inflateLater(state)
    } finally {
      this.#busy = false
    }
    if (result < 0) throw new Error(INFLATE_ERRORS[result] ?? `error ${result} of ISA-L`)
    const made = Number(state.readBigUInt64LE(INFLATE.nextOut) - target)
    const left = output.length - begin - made
    // Bits of a byte that was begun are used.
    const unused = state.readUInt32LE(INFLATE.availableIn) + (state.readInt32LE(INFLATE.readInLength) >> 3)
    if (made < 0 || left < 0 || left !== state.readUInt32LE(INFLATE.availableOut) || unused > to - from + TAKEN)
      throw new Error('ISA-L left its bounds')
    const ended = state.readInt32LE(INFLATE.blockState) === ISAL_BLOCK_FINISH
    // Before the end what was taken stays taken: the next call begins with what is there.
    return { at: ended ? to - unused : to - state.readUInt32LE(INFLATE.availableIn), made, ended }
  }
}
