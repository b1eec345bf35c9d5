import type { Analyser, ReadableFile } from '../analyser.ts'
import type { FoundInFile } from '../model.ts'
import { type ElfFile, readElf } from './elf-file.ts'
import { readGoBuildInfo } from './go-build-info.ts'
import { goPackages } from './go-modules.ts'
import { rustPackages } from './rust-crates.ts'

/** Bytes. Programs with all their symbols and a model of some gigabytes inside are below it. */
const LARGEST = 4 * 2 ** 30
/** No program with a runtime of Go or Rust is smaller. */
const SMALLEST = 4096

/**
 * Modules of Go programs, and crates of Rust programs built by `cargo auditable`. Looks at ELF files that may be executed,
 * and reads their headers and the lists only. Other programs have no packages
 * and no gap; a gap is what was cut, is damaged, or is packed so that nothing can be seen.
 * Does not: look at PE and Mach-O, which no Linux image runs.
 */
export const executables: Analyser = {
  name: 'executables',
  language: true,
  wants: ({ size, mode }) =>
    (mode & 0o111) !== 0 && size >= SMALLEST ? { limit: LARGEST, magic: ['\x7fELF'], as: 'program' } : undefined,
  analyse: async (file): Promise<FoundInFile> => {
    const elf = await readElf(file)
    const go = await readGoBuildInfo(elf)
    const packages = [...(go ? goPackages(go) : []), ...(await rustPackages(elf))]
    if (packages.length > 0) return { packages }
    if (await isPacked(elf, file))
      return { gaps: [{ where: file.path, reason: 'it is packed by UPX, so what it was built from cannot be seen' }] }
    return {}
  },
}

/** UPX puts its mark behind the headers, and leaves no sections. Source: upx/upx, src/stub/src/include/linux.h. */
async function isPacked({ sections }: ElfFile, file: ReadableFile): Promise<boolean> {
  if (sections.length > 0) return false
  return Buffer.from(await file.readAt(0, 1024)).includes('UPX!')
}
