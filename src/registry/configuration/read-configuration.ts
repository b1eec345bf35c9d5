import { resolve } from 'node:path'
import { readBytes } from '#host/file'
import type { Configuration } from './configuration.ts'
import { configurationOf } from './configuration-of.ts'
import type { PlacedValue } from './document.ts'
import { type Problem, placeIn, refusal } from './problems.ts'
import type { Fault } from './validate.ts'

/** Far more than all keys take; a parser of YAML is slow with what was made to be slow. */
const LIMIT = 256 << 10

/**
 * Reads a registry's configuration file (YAML, of which JSON is a part). Files and variables that it names are not looked
 * at: `loadCredentials` does that. INVALID_ARGUMENT lists all that is wrong, a line for each:
 * `registry.yaml:3:5: listen.address: expects …`. Nothing of it is a secret.
 */
export async function readConfiguration(path: string): Promise<Configuration> {
  const text = textOf(await readBytes(path, { limit: LIMIT }))
  if (text === undefined) throw refused(path, [{ line: 1, column: 1, key: '', message: 'the file is not UTF-8' }])
  // The parser and the schema take longer to load than all else of the registry, which is mostly served without such a file.
  const [{ readDocument }, { validate }] = await Promise.all([import('./document.ts'), import('./validate.ts')])
  const document = readDocument(text)
  if (document.problems.length > 0) throw refused(path, document.problems)
  const validated = validate(document.value)
  if ('faults' in validated) throw refused(path, problemsOf(validated.faults, document))
  return configurationOf(validated.content, path, (key) => placeIn(path, { ...document.placeOf(key, 'value'), key }))
}

/**
 * The configuration that a file with such content describes. `nameOf` tells what a key is called where the content comes from;
 * relative paths begin at the working directory.
 */
export async function configurationFrom(content: object, nameOf: (key: string) => string): Promise<Configuration> {
  const { validate } = await import('./validate.ts')
  const validated = validate(content)
  if ('faults' in validated) throw refusal(validated.faults.map(({ key, message }) => `${nameOf(key)}: ${message}`))
  return configurationOf(validated.content, resolve('registry.yaml'), nameOf)
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function problemsOf(faults: readonly Fault[], { placeOf }: PlacedValue): Problem[] {
  return faults
    .map(({ key, part, message }) => ({ ...placeOf(key, part), key, message }))
    .sort((one, other) => one.line - other.line || one.column - other.column)
}

function refused(path: string, problems: readonly Problem[]): Error {
  return refusal(problems.map((problem) => `${placeIn(path, problem)}: ${problem.message}`))
}
