import { loadLibrary } from '../kernel/native-library.ts'

/** The functions of igzip_lib.h that are used. Each takes one structure, which its caller keeps while the call runs. */
export interface Bindings {
  inflateInit(state: Uint8Array): void
  /** 0, or negative: one of INFLATE_ERRORS. */
  inflate(state: Uint8Array): number
  /** The same on a thread of libuv's pool. */
  inflateLater(state: Uint8Array): Promise<number>
  deflateInit(stream: Uint8Array): void
  setDictionary(stream: Uint8Array, dictionary: Uint8Array): number
  /** 0, or negative; on a thread of libuv's pool. */
  deflateLater(stream: Uint8Array): Promise<number>
}

/**
 * Offsets in `struct inflate_state` (87,368 bytes) and `struct isal_zstream` (82,384 bytes) of igzip_lib.h, the same from
 * release 2.28 to 2.32.1 on x86-64 and arm64; held against the header by a C program when this was written.
 */
export const INFLATE = {
  size: 87_368,
  nextOut: 0,
  availableOut: 8,
  nextIn: 16,
  availableIn: 32,
  readInLength: 36,
  blockState: 21_160,
  crcFlag: 21_172,
  crc: 21_176,
} as const
/** `crcFlag`: the stream is bare, and the CRC-32 of what comes out is kept. */
export const ISAL_GZIP_NO_HDR = 2
/** `blockState`: all of the last block was written out. */
export const ISAL_BLOCK_FINISH = 5

export const DEFLATE = {
  size: 82_384,
  nextIn: 0,
  availableIn: 8,
  nextOut: 16,
  availableOut: 24,
  level: 40,
  levelBufferSize: 44,
  levelBuffer: 48,
  endOfStream: 56,
  flush: 58,
  gzipFlag: 60,
} as const
export const SYNC_FLUSH = 1
/**
 * Bytes more than zlib's level 4, of a layer of 546 MB of generated text and of 500 MB of programs and libraries: level 1 makes
 * 9.6 % and 8.9 %, level 2 3.4 % and 5.9 %, level 3 2.2 % and 5.7 % (1.5 % fewer than gzip -1). For the first, levels 1 to 3
 * take 1.3, 1.5 and 2.0 seconds of processor time, where zlib needs 10.6.
 */
export const LEVEL = 3
/** ISAL_DEF_LVL3_DEFAULT: memory that the level wants. */
export const LEVEL_BUFFER = 348_160

export const INFLATE_ERRORS: Readonly<Record<number, string>> = {
  [-1]: 'invalid block',
  [-2]: 'invalid symbol',
  [-3]: 'invalid distance too far back',
}

export function bind(path: string): Bindings {
  const library = loadLibrary(path)
  const later = (name: string) => {
    const call = library.func(name, 'int', ['void *']).async
    return (structure: Uint8Array) => {
      const { promise, resolve, reject } = Promise.withResolvers<number>()
      call(structure, (error, value) => (error ? reject(error) : resolve(value)))
      return promise
    }
  }
  const inflate = library.func('isal_inflate', 'int', ['void *'])
  const setDictionary = library.func('isal_deflate_set_dict', 'int', ['void *', 'void *', 'uint'])
  return {
    inflateInit: library.func('isal_inflate_init', 'void', ['void *']),
    inflate: (state) => Number(inflate(state)),
    inflateLater: later('isal_inflate'),
    deflateInit: library.func('isal_deflate_init', 'void', ['void *']),
    setDictionary: (stream, dictionary) => Number(setDictionary(stream, dictionary, dictionary.length)),
    deflateLater: later('isal_deflate'),
  }
}
