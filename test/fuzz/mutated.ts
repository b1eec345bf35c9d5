import fc from 'fast-check'

/** What readers of many formats trip over: signs of their grammars, limits of numbers, odd text. */
const PIECES = [
  ...['"', "'", '\\', '$', '${', '}', '{', '[', ']', '<', ',', ':', ';', '=', '#', '@', '/', '..', '-', '|', '*', '%'],
  ...[
    ' ',
    '\t',
    '\n',
    '\r\n',
    '\0',
    '\x1b[',
    '\x7f',
    '\xff',
    '\xc3\x28',
    '\ufeff',
    '\u2028',
    '\ud800',
    '\u{1f600}',
    'e\u0301',
  ],
  ...[
    '0',
    '-1',
    '00',
    '1e999',
    '0x10',
    '4294967296',
    '9007199254740993',
    '99999999999999999999',
    'NaN',
    '077777777777',
  ],
  ...['null', 'true', '{}', '[]', '""', '__proto__', 'constructor', 'toString', 'sha256:', '%00', '%2e%2e%2f'],
]

interface Edit {
  kind: 'insert' | 'replace' | 'delete' | 'repeat' | 'byte' | 'splice'
  /** Shares of the whole. */
  at: number
  to: number
  piece: string
  byte: number
  seed: number
}

/** Inputs near the given ones: each is one of them after a few edits. Shrinks to few edits. */
export function mutated(seeds: readonly Buffer[]): fc.Arbitrary<Buffer> {
  const share = fc.double({ min: 0, max: 1, noNaN: true })
  const edit: fc.Arbitrary<Edit> = fc.record({
    kind: fc.constantFrom('insert', 'replace', 'delete', 'repeat', 'byte', 'splice'),
    at: share,
    to: share,
    piece: fc.constantFrom(...PIECES),
    byte: fc.nat(255),
    seed: fc.nat(seeds.length - 1),
  })
  return fc
    .tuple(fc.constantFrom(...seeds), fc.array(edit, { minLength: 1, maxLength: 6 }))
    .map(([seed, edits]) => edits.reduce((bytes, one) => edited(bytes, one, seeds), seed))
}

/** A few edits could otherwise make megabytes, which say no more. */
const LONGEST = 64 * 1024

function edited(bytes: Buffer, { kind, at, to, piece, byte, seed }: Edit, seeds: readonly Buffer[]): Buffer {
  const start = Math.floor(at * bytes.length)
  // Most edits are short, whatever the length of the whole.
  const end = Math.min(bytes.length, start + Math.ceil(to ** 3 * (bytes.length - start)))
  const [head, middle, tail] = [bytes.subarray(0, start), bytes.subarray(start, end), bytes.subarray(end)]
  const between = {
    insert: () => [Buffer.from(piece), middle],
    replace: () => [Buffer.from(piece)],
    delete: () => [],
    repeat: () => Array<Buffer>(2 + (byte % 30)).fill(middle),
    byte: () => [Buffer.of(byte), middle.subarray(1)],
    splice: () => [seeds[seed]!.subarray(Math.floor(to * seeds[seed]!.length)), middle],
  }[kind]()
  return Buffer.concat([head, ...between, tail]).subarray(0, LONGEST)
}
