import type { OwnedPath } from '../../model.ts'
import { ownedPath } from '../owned-path.ts'
import type { Miss } from './damaged.ts'
import { type Header, Tag } from './header.ts'

/** The files of one package as its header has them: a million of them need no more than their bytes. */
interface InstalledFiles {
  /** Of the package. */
  readonly name: string
  /** Each with a zero byte at its end. */
  readonly directories: Buffer
  readonly names: Buffer
  /** For each name the number of its directory. */
  readonly numbers: Buffer
}

/** Bytes that are kept of all packages together; a million files need 30 MB. */
const MOST_BYTES = 128 << 20

/** Of one package; those with the most have some ten thousand. */
const MOST_DIRECTORIES = 100_000

/** Characters of all paths; a million files have 60 million. */
const MOST_CHARACTERS = 512 << 20

/** Keeps which files the packages installed, without the rest of their headers. */
export interface InstalledFilesCollector {
  /** Throws when the header is damaged. */
  add(name: string, header: Header): void
  /** Latin1. */
  paths(): Generator<OwnedPath>
}

export function collectInstalledFiles(miss: Miss): InstalledFilesCollector {
  const all: InstalledFiles[] = []
  let left = MOST_BYTES
  return {
    add(name, header) {
      const directories = header.texts(Tag.DIRNAMES)
      const names = header.texts(Tag.BASENAMES)
      const numbers = header.numbers(Tag.DIRINDEXES)
      if (!directories || !names || !numbers) return
      left -= directories.length + names.length + numbers.length
      if (left < 0) miss('it lists too many files of packages')
      else if (hasMoreStrings(directories, MOST_DIRECTORIES)) miss('a package lists too many directories')
      else
        all.push({
          name,
          directories: Buffer.from(directories),
          names: Buffer.from(names),
          numbers: Buffer.from(numbers),
        })
    },
    *paths() {
      let characters = 0
      for (const files of all) {
        for (const path of pathsOf(files)) {
          characters += path.length
          if (characters > MOST_CHARACTERS) return
          yield [path, files.name]
        }
      }
    },
  }
}

/** A file of a directory that the package does not name is left out. */
function* pathsOf({ directories, names, numbers }: InstalledFiles): Generator<string> {
  const directoryNames = [...stringsOf(directories)]
  let at = 0
  for (const name of stringsOf(names)) {
    if (at + 4 > numbers.length) return
    const directory = directoryNames[numbers.readUInt32BE(at)]
    at += 4
    const path = directory === undefined ? undefined : ownedPath(`${directory}${name}`)
    if (path !== undefined) yield path
  }
}

function hasMoreStrings(bytes: Buffer, most: number): boolean {
  let count = 0
  for (let at = bytes.indexOf(0); at >= 0; at = bytes.indexOf(0, at + 1)) if (++count > most) return true
  return false
}

function* stringsOf(bytes: Buffer): Generator<string> {
  for (let start = 0, end = 0; start < bytes.length; start = end + 1) {
    end = bytes.indexOf(0, start)
    if (end < 0) return
    yield bytes.toString('latin1', start, end)
  }
}
