import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import { isBaleError } from '#base'
import { crateList, elfOf, goInline, goPointed, varint } from '../../../../test/kit/elf.ts'
import { memoryFile } from '../../../../test/kit/memory-file.ts'
import { processorTime } from '../../../../test/kit/processor-time.ts'
import { readableFile } from '../readable-file.ts'
import { executables } from './index.ts'

const PATH = 'usr/bin/program'

const analyse = async (bytes: Buffer) => executables.analyse(memoryFile(PATH, bytes, 0o755), () => undefined)

/** `name@version` of each package. */
const listed = async (bytes: Buffer) =>
  (await analyse(bytes)).packages?.map(({ name, version }) => `${name}@${version}`) ?? []

const goProgram = (version: string, modules: string) =>
  elfOf({ sections: [{ name: '.go.buildinfo', data: goInline(version, modules) }] })

const rustProgram = (list: Buffer) => elfOf({ sections: [{ name: '.dep-v0', data: list }] })

const KINDS = [8, 4].flatMap((wordSize) =>
  [true, false].map((littleEndian) => ({ wordSize: wordSize as 4 | 8, littleEndian })),
)

const MODULES = 'path\texample.com/app\ndep\texample.com/lib\tv1.2.3\th1:abc=\n'

test('it wants ELF files of some size that may be executed', () => {
  const wants = (size: number, mode: number) => executables.wants({ path: PATH, size, mode })
  assert.deepEqual(wants(1 << 20, 0o755)?.magic, ['\x7fELF'])
  assert.ok(wants(2 ** 32, 0o100))
  assert.equal(wants(1 << 20, 0o644), undefined)
  assert.equal(wants(1000, 0o755), undefined)
})

test('a Go program has its modules and the standard library', async () => {
  const { packages } = await analyse(
    goProgram(
      'go1.22.3',
      `path\tgithub.com/acme/tool/cmd/tool
mod\tgithub.com/acme/tool\tv1.4.0\th1:aaaa=
dep\tgithub.com/spf13/cobra\tv1.8.1\th1:bbbb=
dep\tgolang.org/x/sys\tv0.0.0-20240101000000-abcdefabcdef\th1:cccc=
dep\tgithub.com/spf13/cobra\tv1.8.1\th1:bbbb=
build\t-compiler=gc
`,
    ),
  )
  assert.deepEqual(packages, [
    { type: 'golang', name: 'stdlib', version: '1.22.3' },
    { type: 'golang', name: 'github.com/spf13/cobra', version: 'v1.8.1' },
    { type: 'golang', name: 'golang.org/x/sys', version: 'v0.0.0-20240101000000-abcdefabcdef' },
    { type: 'golang', name: 'github.com/acme/tool', version: 'v1.4.0' },
  ])
})

for (const kind of KINDS) {
  const name = `${kind.wordSize * 8} bits, ${kind.littleEndian ? 'little' : 'big'} endian`
  test(`build information of every age is found in programs of ${name}`, async () => {
    const expected = ['stdlib@1.17.1', 'example.com/lib@v1.2.3']
    const info = { pointed: goPointed('go1.17.1', MODULES, kind), inline: goInline('go1.17.1', MODULES) }
    for (const data of Object.values(info)) {
      const sections = [
        { name: '.data', data: Buffer.alloc(100, 1) },
        { name: '.go.buildinfo', data },
      ]
      assert.deepEqual(await listed(elfOf({ ...kind, sections })), expected)
      assert.deepEqual(await listed(elfOf({ ...kind, sections, stripped: true })), expected, 'without sections')
    }
  })
}

test('build information is found behind megabytes of data, at aligned addresses only', async () => {
  const decoy = Buffer.concat([Buffer.alloc(1), goInline('go1.0', ''), Buffer.alloc(14)])
  const sections = (size: number) => [
    { name: '.data', data: Buffer.concat([decoy, Buffer.alloc(size)]) },
    { name: '.info', data: goInline('go1.22.3', '') },
  ]
  for (const size of [0, (1 << 20) - 200, 1 << 20, (1 << 20) + 16, 3 << 20])
    assert.deepEqual(await listed(elfOf({ sections: sections(size), stripped: true })), ['stdlib@1.22.3'], `${size}`)
  assert.deepEqual(await listed(elfOf({ sections: sections(0).slice(0, 1), stripped: true })), [])
  assert.deepEqual(await listed(elfOf({ sections: sections(100) })), ['stdlib@1.22.3'], 'in a section of another name')
})

test('a program that was built outside of a module has the standard library', async () => {
  assert.deepEqual(await listed(goProgram('go1.19.8', '')), ['stdlib@1.19.8'])
  const sections = [{ name: '.go.buildinfo', data: goPointed('go1.13', '') }]
  assert.deepEqual(await listed(elfOf({ sections })), ['stdlib@1.13'])
})

for (const [written, version] of [
  ['go1.22.3 X:boringcrypto,loopvar', '1.22.3'],
  ['go1.21rc2', '1.21rc2'],
  ['devel go1.23-f2c4e1a Mon Jan 1 00:00:00 2024 +0000', 'devel'],
  ['unknown', 'unknown'],
] as const)
  test(`the version of the standard library of ${written} is ${version}`, async () => {
    assert.deepEqual(await listed(goProgram(written, '')), [`stdlib@${version}`])
  })

test('a replaced module has the name of what replaced it, unless that is a directory', async () => {
  const modules = `dep\texample.com/a\tv1.0.0
=>\texample.com/fork\tv1.0.1\th1:x=
dep\texample.com/b\tv1.0.0
=>\t./staging/b\t(devel)\t
dep\texample.com/c\tv1.0.0
=>\t../c\tv0.0.0\t
dep\texample.com/d\t(devel)\t
dep\texample.com/f\tv1.0.0
=>\tC:\\src\\f\t(devel)\t
dep\texample.com/e\tv2.0.0+incompatible
`
  assert.deepEqual(await listed(goProgram('go1.22', modules)), [
    'stdlib@1.22',
    'example.com/fork@v1.0.1',
    'example.com/b@',
    'example.com/c@',
    'example.com/d@',
    'example.com/f@',
    'example.com/e@v2.0.0+incompatible',
  ])
})

for (const [flags, version] of [
  ['-ldflags="-s -w -X main.version=1.2.3"', 'v1.2.3'],
  ['-ldflags="-X=main.Version=v1.2.3-rc.1+build"', 'v1.2.3-rc.1+build'],
  [`-ldflags="-X 'main.version=v1.2' -X 'main.commit=1.9.9'"`, 'v1.2'],
  ['-ldflags="-X \\"main.version=v1.2.3\\""', 'v1.2.3'],
  ['-ldflags=`-X "main.version=v1.2.3"`', 'v1.2.3'],
  ['-ldflags=-X=example.com/app/internal/build.version=v3.0.0', 'v3.0.0'],
  ['-ldflags="-X example.com/app/build.version=v9.9.9 -X main.ver=v3.0.0"', 'v3.0.0'],
  ['-ldflags="-X main.version=v1.0.0 -X main.Version=1.0.0"', 'v1.0.0'],
  ['-ldflags="-X main.version=v1.0.0 -X main.Version=2.0.0"', ''],
  ['-ldflags="-X example.com/other.version=v3.0.0"', ''],
  ['-ldflags="-X example.com/application.version=v3.0.0"', ''],
  ['-ldflags="-X main.version=latest"', ''],
  ['-ldflags="-X main.version=', ''],
  ['-compiler=gc', ''],
] as const)
  test(`the main module built with ${flags} has the version '${version}'`, async () => {
    const program = goProgram('go1.22', `mod\texample.com/app\t(devel)\t\nbuild\t${flags}\n`)
    assert.deepEqual(await listed(program), ['stdlib@1.22', `example.com/app@${version}`])
  })

test('a version that the main module has by itself goes before a stamped one', async () => {
  const modules = 'mod\texample.com/app\tv1.0.0\t\nbuild\t-ldflags="-X main.version=v2.0.0"\n'
  assert.deepEqual(await listed(goProgram('go1.22', modules)), ['stdlib@1.22', 'example.com/app@v1.0.0'])
})

test('an auditable Rust program has its crates, without those of its build', async () => {
  const { packages } = await analyse(
    rustProgram(
      crateList({
        packages: [
          { name: 'app', version: '0.1.0', source: 'local', root: true, dependencies: [2] },
          { name: 'cc', version: '1.0.83', source: 'crates.io', kind: 'build' },
          { name: 'wasi', version: '0.11.0+wasi-snapshot-preview1', source: 'crates.io', kind: 'runtime' },
        ],
      }),
    ),
  )
  assert.deepEqual(packages, [
    { type: 'cargo', name: 'app', version: '0.1.0' },
    { type: 'cargo', name: 'wasi', version: '0.11.0+wasi-snapshot-preview1' },
  ])
})

test('a program of both languages has the packages of both', async () => {
  const sections = [
    { name: '.dep-v0', data: crateList({ packages: [{ name: 'a', version: '1.0.0' }] }) },
    { name: '.go.buildinfo', data: goInline('go1.22', '') },
  ]
  assert.deepEqual(await listed(elfOf({ sections })), ['stdlib@1.22', 'a@1.0.0'])
})

test('other programs have no packages and no gap', async () => {
  const text = { name: '.text', data: Buffer.alloc(500, 0x90) }
  const nearby = ['.go.buildinfo.old', 'x.dep-v0', '.dep'].map((name) => ({ name, data: Buffer.alloc(10) }))
  // A file of debugging symbols has the headers of its program's sections without their bytes.
  const empty = ['.go.buildinfo', '.dep-v0'].map((name) => ({ name, data: Buffer.alloc(10), type: 8 }))
  for (const sections of [[], [text], nearby, empty]) {
    assert.deepEqual(await analyse(elfOf({ sections })), {})
    assert.deepEqual(await analyse(elfOf({ sections, stripped: true })), {})
  }
})

test('a packed program is a gap, since nothing of it can be seen', async () => {
  const packed = elfOf({ sections: [{ name: '', data: Buffer.from('\0\0\0\0UPX!') }], stripped: true })
  assert.deepEqual(await analyse(packed), {
    gaps: [{ where: PATH, reason: 'it is packed by UPX, so what it was built from cannot be seen' }],
  })
})

/** Where the header of a 64-bit program has what. */
const AT = { segments: 32, sections: 40, segmentSize: 54, sectionSize: 58, sectionCount: 60, names: 62 }

/** A program of Go with some bytes changed. */
function changed(change: (bytes: Buffer, at: { info: number; table: number }) => unknown): Buffer {
  const bytes = goProgram('go1.22', MODULES)
  change(bytes, { info: bytes.indexOf('\xff Go buildinf:', 0, 'latin1'), table: Number(bytes.readBigUInt64LE(40)) })
  return bytes
}

const HOSTILE: readonly [what: string, bytes: Buffer, code: string, message: RegExp][] = [
  ['ends in its header', goProgram('go1.22', '').subarray(0, 40), 'INVALID_ARGUMENT', /the header lies outside/],
  ['ends before its sections', goProgram('go1.22', '').subarray(0, -200), 'INVALID_ARGUMENT', /table of sections lies/],
  [
    'has sections outside the file',
    changed((bytes) => bytes.writeBigUInt64LE(2n ** 63n, AT.sections)),
    'INVALID_ARGUMENT',
    /table of sections lies outside/,
  ],
  [
    'has segments outside the file',
    changed((bytes) => bytes.writeBigUInt64LE(2n ** 40n, AT.segments)),
    'INVALID_ARGUMENT',
    /table of segments lies outside/,
  ],
  [
    'has 2^32 sections',
    changed((bytes, { table }) => {
      bytes.writeUInt16LE(0, AT.sectionCount)
      bytes.writeBigUInt64LE(2n ** 32n, table + 32)
    }),
    'LIMIT_EXCEEDED',
    /more than 65536 sections/,
  ],
  [
    'has sections of 64 kB each',
    changed((bytes) => bytes.writeUInt16LE(0xffff, AT.sectionSize)),
    'INVALID_ARGUMENT',
    /unknown kind/,
  ],
  [
    'has segments of no size',
    changed((bytes) => bytes.writeUInt16LE(0, AT.segmentSize)),
    'INVALID_ARGUMENT',
    /unknown/,
  ],
  [
    'has names of sections in a section that is missing',
    changed((bytes) => bytes.writeUInt16LE(77, AT.names)),
    'INVALID_ARGUMENT',
    /names of its sections are missing/,
  ],
  [
    'has a gigabyte of names',
    changed((bytes, { table }) => bytes.writeBigUInt64LE(2n ** 30n, table + 2 * 64 + 32)),
    'LIMIT_EXCEEDED',
    /names of its sections/,
  ],
  ['is of an unknown width', changed((bytes) => bytes.writeUInt8(3, 4)), 'INVALID_ARGUMENT', /unknown kind/],
  [
    'has a section of build information without any',
    changed((bytes, { info }) => bytes.fill(0, info, info + 14)),
    'INVALID_ARGUMENT',
    /build information of Go is not in its section/,
  ],
  [
    'has a text of a gigabyte',
    changed((bytes, { info }) => varint(2 ** 30).copy(bytes, info + 32)),
    'LIMIT_EXCEEDED',
    /more than 1048576 bytes/,
  ],
  [
    'has a text without end of its length',
    changed((bytes, { info }) => bytes.fill(0xff, info + 32, info + 60)),
    'INVALID_ARGUMENT',
    /ends early/,
  ],
  [
    'has a text that ends outside the file',
    changed((bytes, { info }) => varint(100_000).copy(bytes, info + 32)),
    'INVALID_ARGUMENT',
    /build information of Go lies outside/,
  ],
  [
    'points to itself',
    elfOf({
      sections: [
        {
          name: '.go.buildinfo',
          data: (address) => {
            const info = goPointed('go1.17', '')(address)
            // Both the string and its length are the pointer.
            info.writeBigUInt64LE(BigInt(address + 16), 16)
            return info
          },
        },
      ],
    }),
    'LIMIT_EXCEEDED',
    /more than 1048576 bytes/,
  ],
  [
    'points outside the program',
    elfOf({ sections: [{ name: '.go.buildinfo', data: () => goPointed('go1.17', '')(2 ** 40) }] }),
    'INVALID_ARGUMENT',
    /points outside the program/,
  ],
  [
    'has addresses of three bytes',
    elfOf({
      sections: [
        {
          name: '.go.buildinfo',
          data: (address) => {
            const info = goPointed('go1.17', '')(address)
            info[14] = 3
            return info
          },
        },
      ],
    }),
    'INVALID_ARGUMENT',
    /addresses of an unknown size/,
  ],
  ['is of no version of Go', goProgram('', ''), 'INVALID_ARGUMENT', /names no version/],
  ['has crates that are no zlib', rustProgram(Buffer.alloc(50, 7)), 'INVALID_ARGUMENT', /cannot be inflated/],
  [
    'has crates that end early',
    rustProgram(crateList({ packages: [] }).subarray(0, -6)),
    'INVALID_ARGUMENT',
    /inflated/,
  ],
  [
    'has 64 MiB of crates',
    rustProgram(deflateSync(Buffer.alloc(64 << 20))),
    'LIMIT_EXCEEDED',
    /list of crates has more than/,
  ],
  [
    'has crates that are no JSON',
    rustProgram(deflateSync('crates')),
    'INVALID_ARGUMENT',
    /list of crates is not valid/,
  ],
  ['has crates as a number', rustProgram(crateList(7)), 'INVALID_ARGUMENT', /has no packages/],
  ['has a crate that is null', rustProgram(crateList({ packages: [null] })), 'INVALID_ARGUMENT', /without a name/],
  [
    'has a crate of a strange name',
    rustProgram(crateList({ packages: [{ name: '../a\n', version: '1' }] })),
    'INVALID_ARGUMENT',
    /without a name/,
  ],
  [
    'has crates deeper than any list',
    rustProgram(deflateSync(`{"packages":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)),
    'INVALID_ARGUMENT',
    /nested deeper/,
  ],
]

for (const [what, bytes, code, message] of HOSTILE)
  test(`a program that ${what} is ${code} (V01)`, async () => {
    await assert.rejects(analyse(bytes), (error) => {
      assert.ok(isBaleError(error), String(error))
      assert.equal(error.code, code)
      assert.match(error.message, message)
      assert.ok(!error.message.includes(PATH))
      return true
    })
  })

test('a table of sections that is too long for the header is read by its first entry', async () => {
  const bytes = changed((program, { table }) => {
    program.writeBigUInt64LE(BigInt(program.readUInt16LE(AT.sectionCount)), table + 32)
    program.writeUInt32LE(program.readUInt16LE(AT.names), table + 40)
    program.writeUInt16LE(0, AT.sectionCount)
    program.writeUInt16LE(0xffff, AT.names)
  })
  assert.deepEqual(await listed(bytes), ['stdlib@1.22', 'example.com/lib@v1.2.3'])
})

test('names of sections may overlap and end with the table (V01)', async () => {
  const bytes = changed((program, { table }) => {
    const names = Number(program.readBigUInt64LE(table + 2 * 64 + 24))
    // The table of names is named by a part of the other's name, and ends before it does.
    program.writeUInt32LE(program.readUInt32LE(table + 64) + 3, table + 2 * 64)
    program.writeBigUInt64LE(BigInt(program.indexOf('.go.buildinfo', names) - names + 13), table + 2 * 64 + 32)
  })
  assert.deepEqual(await listed(bytes), ['stdlib@1.22', 'example.com/lib@v1.2.3'])
})

test('names that no module can have are left out (V01)', async () => {
  const modules = `dep\t\tv1.0.0\ndep\ta b\tv1.0.0\ndep\t${'a'.repeat(5000)}\tv1\ndep\tgood\tv1\u0000\ndep\tgood\tv1\ndep\n=>\n`
  assert.deepEqual(await listed(goProgram('go1.22', modules)), ['stdlib@1.22', 'good@v1'])
})

test('a changed program gives packages or a BaleError, and costs no more than a multiple of its size (V01)', async () => {
  const programs = [
    elfOf({
      sections: [
        { name: '.go.buildinfo', data: goInline('go1.22', MODULES) },
        { name: '.dep-v0', data: crateList({ packages: [{ name: 'a', version: '1.0.0' }] }) },
      ],
    }),
    ...KINDS.map((kind) =>
      elfOf({ ...kind, sections: [{ name: '.go.buildinfo', data: goPointed('go1.17', MODULES, kind) }] }),
    ),
    elfOf({ sections: [{ name: '.data', data: goInline('go1.22', MODULES) }], stripped: true }),
  ]
  let refusals = 0
  const mutation = fc.record({ at: fc.nat(), byte: fc.oneof(fc.constantFrom(0, 0xff, 0x7f, 0x80), fc.nat(255)) })
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...programs),
      fc.array(mutation, { minLength: 1, maxLength: 12 }),
      fc.option(fc.nat(), { nil: undefined, freq: 8 }),
      async (program, mutations, cut) => {
        const bytes = Buffer.from(program)
        for (const { at, byte } of mutations) bytes[at % bytes.length] = byte
        const kept = cut === undefined ? bytes : bytes.subarray(0, cut % bytes.length)
        let read = 0
        const file = readableFile(
          { path: PATH, size: kept.length, mode: 0o755 },
          {
            readAt(position, length) {
              read += length
              return kept.subarray(position, position + length)
            },
          },
        )
        const spent = processorTime()
        await Promise.resolve(executables.analyse(file, () => undefined)).catch((error) => {
          assert.ok(isBaleError(error), String(error.stack))
          refusals++
        })
        assert.ok(spent() < 1000)
        assert.ok(read <= 16 * kept.length + 4096, `${read} bytes of ${kept.length}`)
      },
    ),
    { numRuns: 3000 },
  )
  assert.ok(refusals > 100, `only ${refusals} of 3000 were refused`)
})

test('programs above four gigabytes are over the limit; all names of one are looked at alike', () => {
  const interest = executables.wants({ path: 'usr/bin/x', size: 2 ** 33, mode: 0o755 })
  assert.deepEqual(
    [interest?.limit, interest?.as],
    [2 ** 32, executables.wants({ path: 'y', size: 5000, mode: 0o700 })?.as],
  )
})
