import { errnoOf } from '#base'
import { readText } from '#host/file'

/** A file of another program, read as far as possible: mistakes in it are reported, and never fail an operation. */
export class ForeignFile {
  readonly path: string
  readonly text: string
  readonly #warn: (text: string) => void

  constructor(path: string, text: string, warn: (text: string) => void) {
    this.path = path
    this.text = text
    this.#warn = warn
  }

  /** Reports a problem with its line: a number, or the first line that contains a word. */
  warn(what: string, line: number | string | undefined): void {
    const number = typeof line === 'string' ? lineOf(this.text, line) : line
    this.#warn(`${this.path}${number === undefined ? '' : `:${number}`}: ${what}`)
  }
}

/** Undefined when there is no such file; one that cannot be read is reported. */
export async function openForeignFile(path: string, warn: (text: string) => void): Promise<ForeignFile | undefined> {
  try {
    return new ForeignFile(path, await readText(path, { limit: 4 << 20 }), warn)
  } catch (error) {
    const errno = errnoOf(error)
    if (errno !== 'ENOENT' && errno !== 'ENOTDIR') warn(`${path} cannot be read (${errno ?? 'too large'})`)
    return undefined
  }
}

function lineOf(text: string, word: string): number | undefined {
  const at = text.indexOf(word)
  return at < 0 ? undefined : text.slice(0, at).split('\n').length
}
