import { resolve } from 'node:path'
import type { NamedFile, SecretSource } from './configuration.ts'

/** Files and variables that the configuration names. */
export class Names {
  readonly #directory: string
  readonly #at: (key: string) => string

  constructor(directory: string, at: (key: string) => string) {
    this.#directory = resolve(directory)
    this.#at = at
  }

  path(name: string): string {
    return resolve(this.#directory, name)
  }

  file(key: string, name: string): NamedFile {
    return { path: this.path(name), at: this.#at(key) }
  }

  /** Of the keys `…-file` and `…-env` in a group, of which one at most is given. */
  secret(key: string, group: Readonly<Record<string, unknown>>): SecretSource | undefined {
    const name = key.slice(key.lastIndexOf('.') + 1)
    const [file, variable] = [group[`${name}-file`], group[`${name}-env`]]
    if (file !== undefined) return this.file(`${key}-file`, String(file))
    return variable === undefined ? undefined : { variable: String(variable), at: this.#at(`${key}-env`) }
  }
}
