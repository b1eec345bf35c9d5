/** What holds for each of rpm's databases, whatever its format; and headers to fill one with. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BaleError } from '#base'
import { memoryFile } from '../../../../../test/kit/memory-file.ts'
import type { FoundInFile } from '../../model.ts'
import { Tag } from './header.ts'
import { rpm } from './rpm.ts'

/** A package as rpm has it. */
export interface RpmFacts {
  name: string
  version?: string
  release?: string
  epoch?: number
  arch?: string
  sourceRpm?: string
  vendor?: string
  license?: string
  modularity?: string
  files?: readonly string[]
}

/** What the packages of the contract's databases are; the last one is larger than a page, and than two. */
export const FACTS: readonly RpmFacts[] = [
  { name: 'bash', sourceRpm: 'bash-5.1.8-6.el9.src.rpm', version: '5.1.8', release: '6.el9', files: ['/usr/bin/bash'] },
  {
    name: 'openssl-libs',
    epoch: 1,
    version: '3.0.7',
    release: '25.el9',
    arch: 'x86_64',
    sourceRpm: 'openssl-3.0.7-25.el9.src.rpm',
    vendor: 'Red Hat, Inc.',
    license: 'ASL 2.0',
    files: ['/lib64/libssl.so.3', '/etc/pki/tls/openssl.cnf', '/etc/pki/tls/ct_log_list.cnf'],
  },
  { name: 'gpg-pubkey', version: 'fd431d51', release: '4ae0493b', sourceRpm: '(none)' },
  {
    name: 'nodejs',
    epoch: 1,
    version: '18.9.1',
    release: '1.module_el9',
    arch: 'aarch64',
    sourceRpm: 'nodejs-18.9.1-1.module_el9.nosrc.rpm',
    modularity: 'nodejs:18:8060020220523160029:ad008a3a',
    files: Array.from({ length: 600 }, (_, index) => `/usr/lib/node_modules/npm/${index % 7}/file${index}.js`),
  },
]

const PACKAGES = [
  { type: 'rpm', name: 'bash', version: '5.1.8-6.el9', source: { name: 'bash', version: '5.1.8-6.el9' } },
  {
    type: 'rpm',
    name: 'openssl-libs',
    version: '1:3.0.7-25.el9',
    architecture: 'x86_64',
    source: { name: 'openssl', version: '1:3.0.7-25.el9' },
    licences: ['ASL 2.0'],
    vendor: 'Red Hat, Inc.',
  },
  {
    type: 'rpm',
    name: 'nodejs',
    version: '1:18.9.1-1.module_el9',
    architecture: 'aarch64',
    source: { name: 'nodejs', version: '1:18.9.1-1.module_el9' },
    modularity: 'nodejs:18:8060020220523160029:ad008a3a',
  },
]

/** A database of one format. */
export interface DatabaseFormat {
  /** For titles. */
  what: string
  path: string
  make(headers: readonly Buffer[]): Promise<Buffer> | Buffer
}

/** Reads a database as the analyser does. */
export async function analyse(path: string, bytes: Uint8Array, log?: Uint8Array): Promise<FoundInFile> {
  return rpm.analyse(memoryFile(path, bytes), (name) => {
    assert.equal(name, 'rpmdb.sqlite-wal')
    return log && memoryFile(`${path}-wal`, log)
  })
}

export const reasons = ({ gaps = [] }: FoundInFile): string[] => gaps.map(({ reason }) => reason)

/** Gives the contract's tests to a format. */
export function databaseContract({ what, path, make }: DatabaseFormat): void {
  const headers = FACTS.map(encodeHeader)

  test(`${what}: packages, without keys of signatures, and their files`, async () => {
    const { packages, owned = [], gaps } = await analyse(path, await make(headers))
    assert.equal(gaps, undefined)
    assert.deepEqual(packages?.toSorted(byName), PACKAGES.toSorted(byName))
    const files = FACTS.flatMap(({ name, files: list = [] }) => list.map((file) => [file.slice(1), name]))
    assert.deepEqual([...owned].sort(), files.sort())
  })

  test(`${what}: 1000 packages, then none`, async () => {
    const many = Array.from({ length: 1000 }, (_, index) => ({ name: `p${index}`, version: '1', release: `${index}` }))
    const { packages = [], gaps } = await analyse(path, await make(many.map(encodeHeader)))
    assert.equal(gaps, undefined)
    const found = packages.map(({ name, version }) => `${name} ${version}`).sort()
    assert.deepEqual(found, many.map(({ name, release }) => `${name} 1-${release}`).sort())
    assert.equal((await analyse(path, await make([]))).packages, undefined)
  })

  test(`${what}: cut in each 4 kB, it gives what is before the cut, and a gap`, async () => {
    const bytes = await make(headers)
    let most = 0
    for (let length = 1; length < bytes.length; length += 2048) {
      const found = await within(1000, () => analyse(path, bytes.subarray(0, length)))
      const { packages = [], gaps = [] } = found
      assert.ok(gaps.length > 0 || packages.length === PACKAGES.length, `cut at ${length}`)
      for (const gap of gaps) assert.ok(gap.where === path && !gap.reason.includes(path), gap.reason)
      for (const one of packages) assert.ok(PACKAGES.some(({ name }) => name === one.name))
      most = Math.max(most, packages.length)
    }
    assert.ok(most > 0, 'packages are read in spite of a cut')
  })

  test(`${what}: whatever bytes change, it ends soon, with packages and gaps`, async () => {
    const bytes = await make(headers)
    const byte = fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff))
    const change = fc.record({ at: fc.oneof(fc.nat(bytes.length - 1), fc.nat(600)), byte })
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 8 }), async (changes) => {
        const changed = Buffer.from(bytes)
        for (const { at, byte } of changes) changed[at] = byte
        const { packages = [], owned = [] } = await within(1000, () => analyse(path, changed))
        assert.ok(packages.length <= 100 && [...owned].length <= 100_000)
      }),
      { numRuns: 100 },
    )
  })

  test(`${what}: a package whose header is damaged is a gap, and the others are read`, async () => {
    const endless = encodeHeader({ name: 'x', version: '1', release: '1' })
    endless.writeUInt32BE(0xffffffff, 4)
    const short = Buffer.from([0, 0, 0, 1])
    const unnamed = encodeHeader({ name: 'y' })
    // Its files are the last it has, so that they lead out of it with a smaller store.
    const cut = encodeHeader({ name: 'z', version: '1', release: '1', files: ['/a'] })
    cut.writeUInt32BE(cut.readUInt32BE(4) - 1, 4)
    const found = await analyse(path, await make([endless, headers[0]!, short, unnamed, cut.subarray(0, -1)]))
    assert.deepEqual(found.packages?.map(({ name }) => name).sort(), ['bash', 'z'])
    assert.deepEqual(reasons(found).sort(), [
      'a package has no usable name or version',
      'the header of a package is damaged (3 times)',
    ])
  })

  test(`${what}: another file by its name is a gap, an empty one is not`, async () => {
    for (const bytes of [Buffer.from('x'), Buffer.alloc(8192), Buffer.alloc(8192, 0xff)]) {
      const found = await analyse(path, bytes)
      assert.equal(found.packages, undefined)
      assert.equal(found.gaps?.length, 1)
    }
    assert.deepEqual(await analyse(path, Buffer.alloc(0)), {})
  })

  test(`${what}: a failure to read the layer is no gap`, async () => {
    const failure = new BaleError('INVALID_LAYER_IMAGE', 'the layer cannot be read')
    const file = { ...memoryFile(path, Buffer.alloc(8192)), readAt: () => Promise.reject(failure) }
    await assert.rejects(async () => rpm.analyse(file, () => undefined), failure)
  })
}

function byName(left: { name: string }, right: { name: string }): number {
  return left.name < right.name ? -1 : 1
}

async function within<T>(milliseconds: number, act: () => Promise<T>): Promise<T> {
  const started = performance.now()
  const result = await act()
  assert.ok(performance.now() - started < milliseconds)
  return result
}

/** A header as rpm writes it into a database. */
export function encodeHeader(facts: RpmFacts): Buffer {
  const store = new HeaderStore()
  const { files = [] } = facts
  const text = (tag: number, value: string | undefined) => value !== undefined && store.texts(tag, 6, [value])
  text(Tag.NAME, facts.name)
  text(Tag.VERSION, facts.version)
  text(Tag.RELEASE, facts.release)
  if (facts.epoch !== undefined) store.numbers(Tag.EPOCH, [facts.epoch])
  text(Tag.VENDOR, facts.vendor)
  text(Tag.LICENSE, facts.license)
  text(Tag.ARCH, facts.arch)
  text(Tag.SOURCERPM, facts.sourceRpm)
  if (files.length > 0) {
    const directoryOf = (path: string) => path.slice(0, path.lastIndexOf('/') + 1)
    const directories = [...new Set(files.map(directoryOf))]
    store.numbers(
      Tag.DIRINDEXES,
      files.map((path) => directories.indexOf(directoryOf(path))),
    )
    store.texts(
      Tag.BASENAMES,
      8,
      files.map((path) => path.slice(path.lastIndexOf('/') + 1)),
    )
    store.texts(Tag.DIRNAMES, 8, directories)
  }
  text(Tag.MODULARITYLABEL, facts.modularity)
  return store.header()
}

class HeaderStore {
  readonly #entries: Buffer[] = []
  #store: Buffer = Buffer.alloc(0)

  texts(tag: number, type: number, values: readonly string[]): void {
    this.#add(tag, type, values.length, Buffer.from(values.map((value) => `${value}\0`).join('')))
  }

  numbers(tag: number, values: readonly number[]): void {
    this.#store = Buffer.concat([this.#store, Buffer.alloc((4 - (this.#store.length % 4)) % 4)])
    const bytes = Buffer.alloc(values.length * 4)
    for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4)
    this.#add(tag, 4, values.length, bytes)
  }

  #add(tag: number, type: number, count: number, bytes: Buffer): void {
    this.#entries.push(numbers32(tag, type, this.#store.length, count))
    this.#store = Buffer.concat([this.#store, bytes])
  }

  header(): Buffer {
    return Buffer.concat([numbers32(this.#entries.length, this.#store.length), ...this.#entries, this.#store])
  }
}

function numbers32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4)
  return bytes
}
