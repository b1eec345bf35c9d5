import { promisify } from 'node:util'
import { inflate } from 'node:zlib'
import { parseStrictJson } from '#spec'
import type { FoundPackage } from '../model.ts'
import { damaged, excessive, readExactly } from './bytes.ts'
import type { ElfFile } from './elf-file.ts'

/**
 * The crates in a Rust program that was built by `cargo auditable`, without those that only its build used. None for other
 * programs. INVALID_ARGUMENT when the list is damaged, LIMIT_EXCEEDED when it is longer than that of any program.
 * Source: rust-secure-code/cargo-auditable, PARSING.md.
 */
export async function rustPackages(elf: ElfFile): Promise<FoundPackage[]> {
  const section = elf.sections.find(({ name }) => name === '.dep-v0')
  if (!section) return []
  if (section.size > LONGEST_LIST) throw tooLong()
  const list = await inflated(await readExactly(elf.source, section.offset, section.size, WHAT))
  const value = parseStrictJson(list, { limit: LONGEST_LIST, depth: 8, what: WHAT, code: 'INVALID_ARGUMENT' })
  const crates = (value as { packages?: unknown } | null)?.packages
  if (!Array.isArray(crates)) throw damaged(`${WHAT} has no packages`)
  return crates.map(crateOf).filter((crate) => crate !== undefined)
}

const WHAT = 'the list of crates'
/** A thousand crates have about 100 kB. */
const LONGEST_LIST = 8 << 20

const tooLong = () => excessive(`${WHAT} has more than ${LONGEST_LIST} bytes`)

async function inflated(bytes: Buffer): Promise<Buffer> {
  try {
    return await promisify(inflate)(bytes, { maxOutputLength: LONGEST_LIST })
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE') throw tooLong()
    throw damaged(`${WHAT} cannot be inflated`, error)
  }
}

function crateOf(value: unknown): FoundPackage | undefined {
  const { name, version, kind } = (value ?? {}) as Record<string, unknown>
  if (!isWord(name) || !isWord(version)) throw damaged(`${WHAT} has a crate without a name or version`)
  return kind === 'build' ? undefined : { type: 'cargo', name, version }
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && /^[\w.+-]{1,256}$/.test(value)
}
