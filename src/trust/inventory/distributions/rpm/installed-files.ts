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

/** Characters of all paths; a million files have 60 million. */
const MOST_CHARACTERS = 512 << 20

/** Keeps which files the packages installed, without the rest of their headers. */
export function collectInstalledFiles(miss: Miss) {
  const all: InstalledFiles[] = []
  let left = MOST_BYTES
  return {
    /** Throws when the header is damaged. */
    add(name: string, header: Header): void {
      const directories = header.texts(Tag.DIRNAMES)
      const names = header.texts(Tag.BASENAMES)
      const numbers = header.numbers(Tag.DIRINDEXES)
      if (!directories || !names || !numbers) return
      left -= directories.length + names.length + numbers.length
      if (left < 0) miss('it lists too many files of packages')
      else
        all.push({
          name,
          directories: Buffer.from(directories),
          names: Buffer.from(names),
          numbers: Buffer.from(numbers),
        })
    },
    /** Latin1. */
    *paths(): Generator<OwnedPath> {
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

function* stringsOf(bytes: Buffer): Generator<string> {
  for (let start = 0, end = 0; start < bytes.length; start = end + 1) {
    end = bytes.indexOf(0, start)
    if (end < 0) return
    yield bytes.toString('latin1', start, end)
  }
}
