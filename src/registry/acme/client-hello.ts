const HANDSHAKE = 22
const CLIENT_HELLO = 1
const SERVER_NAME = 0
const ALPN = 16
const RECORD_HEAD = 5

/** What a client says first, as far as it is of interest. */
interface ClientHello {
  /** Lower case. */
  serverName?: string
  protocols: string[]
}

/**
 * Reads the ClientHello that bytes begin with (RFC 8446 section 4.1.2). `more` when they end before its end; undefined when
 * they are something else, or it is spread over several records.
 */
export function readClientHello(bytes: Buffer): ClientHello | 'more' | undefined {
  if (bytes.length > 0 && bytes[0] !== HANDSHAKE) return undefined
  if (bytes.length < RECORD_HEAD) return 'more'
  const end = RECORD_HEAD + bytes.readUInt16BE(3)
  if (bytes.length < end) return 'more'
  try {
    return helloIn(new Reader(bytes.subarray(RECORD_HEAD, end)))
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function helloIn(record: Reader): ClientHello | undefined {
  if (record.number(1) !== CLIENT_HELLO) return undefined
  const hello = record.vector(3)
  // Version and random.
  hello.skip(34)
  // Session, ciphers, compressions.
  for (const size of [1, 2, 1] as const) hello.vector(size)
  const found: ClientHello = { protocols: [] }
  for (const extensions = hello.vector(2); extensions.left > 0; ) {
    const kind = extensions.number(2)
    const extension = extensions.vector(2)
    if (kind === SERVER_NAME) found.serverName = nameIn(extension.vector(2))
    if (kind === ALPN) for (const list = extension.vector(2); list.left > 0; ) found.protocols.push(list.text(1))
  }
  return found
}

function nameIn(list: Reader): string | undefined {
  return list.number(1) === 0 ? list.text(2).toLowerCase() : undefined
}

/** Throws RangeError where the bytes end. */
class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  number(size: 1 | 2 | 3): number {
    const value = this.#bytes.readUIntBE(this.#at, size)
    this.#at += size
    return value
  }

  skip(length: number): void {
    if (length > this.left) throw new RangeError('the message ends early')
    this.#at += length
  }

  /** Bytes with their length, of so many bytes, before them. */
  vector(size: 1 | 2 | 3): Reader {
    const length = this.number(size)
    const start = this.#at
    this.skip(length)
    return new Reader(this.#bytes.subarray(start, start + length))
  }

  text(size: 1 | 2): string {
    return this.vector(size).#bytes.toString('latin1')
  }
}
