import { BaleError } from '#base'
import type { IgnoreEntry } from './ignore-entry.ts'

/** Longer files are no lists that people keep; a parser of YAML is slow with what was made to be slow. */
const LIMIT = 256 << 10

/**
 * Reads an ignore file (YAML, of which JSON is a part): a list of entries below the key `ignore`. `path` is what messages call it.
 * INVALID_ARGUMENT lists all that is wrong, a line for each: `ignore.yaml:3:5: ignore[0].expires: expects …`. LIMIT_EXCEEDED for a
 * text of more than 256 Ki characters.
 */
export async function parseIgnoreFile(text: string, path: string): Promise<IgnoreEntry[]> {
  if (text.length > LIMIT) throw new BaleError('LIMIT_EXCEEDED', `${path} is longer than ${LIMIT} characters`)
  // The parser and the schema take longer to load than the rest of a scan's report.
  const [{ PlacedDocument }, { entriesOf }] = await Promise.all([
    import('#trust/placed-document'),
    import('./ignore-schema.ts'),
  ])
  const document = PlacedDocument.read(text, path)
  return entriesOf(document)
}
