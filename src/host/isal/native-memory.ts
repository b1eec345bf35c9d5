import { addressOf } from '../kernel/native-library.ts'

/** Behind each piece: fast code copies in steps of up to 64 bytes, and what goes beyond an end by a mistake hits nothing else. */
const ROOM = 4096

/** Memory that native code reads and writes: it does not move, is not shared with other buffers, and has room behind it. */
export interface NativeMemory {
  readonly bytes: Buffer
  readonly address: bigint
}

/** Not zeroed: V8 gives a separate allocation for each, which it frees when neither `bytes` nor a part of it is in use. */
export function nativeMemory(size: number): NativeMemory {
  const bytes = Buffer.allocUnsafeSlow(size + ROOM).subarray(0, size)
  return { bytes, address: addressOf(bytes) }
}

/** The same memory again, of which only the bytes were kept. */
export function sameMemory(bytes: Uint8Array): NativeMemory {
  return { bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), address: addressOf(bytes) }
}
