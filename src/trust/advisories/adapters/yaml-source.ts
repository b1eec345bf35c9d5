import { malformed } from './values.ts'

/** Bytes of a file; real ones have at most 100 KiB. YAML takes its time. */
const FILE_LIMIT = 512 * 1024

/** Loads a reader of YAML files from outside: without aliases, by which a small file becomes a huge value. It throws for others. */
export async function loadYaml(): Promise<(bytes: Uint8Array) => unknown> {
  const { parse } = await import('yaml')
  return (bytes) => {
    if (bytes.length > FILE_LIMIT) throw malformed('it', `has more than ${FILE_LIMIT} bytes`)
    // Comparing all keys of an object with one another would take time that grows with the square of their number.
    return parse(new TextDecoder().decode(bytes), {
      maxAliasCount: 0,
      uniqueKeys: false,
      prettyErrors: false,
      // Its warnings would be written to standard error.
      logLevel: 'error',
    })
  }
}
