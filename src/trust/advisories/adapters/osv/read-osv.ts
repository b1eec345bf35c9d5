import type { Advisory } from '../../advisory.ts'
import { loadCvss } from '../cvss.ts'
import type { RecordFile } from '../records/record-file.ts'
import type { Tally } from '../tally.ts'
import { parseSource } from '../values.ts'
import { loadYaml } from '../yaml-source.ts'
import { advisoriesOf, readOsvRecord } from './osv-record.ts'

/** Files that can be records: JSON, as databases export it, and YAML, as PyPA's repository has it. */
export function isOsvFile(name: string): boolean {
  return name.endsWith('.json') || isYaml(name)
}

/**
 * Advisories of OSV records, one record per file: GitHub's, PyPA's, RustSec's, Go's, Ubuntu's, Alpine's and all others that
 * write this format. A malformed record is skipped and counted.
 */
export async function* readOsv(
  files: AsyncIterable<RecordFile> | Iterable<RecordFile>,
  { tally }: { tally: Tally },
): AsyncGenerator<Advisory> {
  const score = await loadCvss()
  const parseYaml = await loadYaml()
  const parse = (name: string, bytes: Uint8Array) =>
    isYaml(name) ? parseYaml(bytes) : parseSource(bytes, 'the record')
  for await (const { name, bytes } of files) {
    const record = tally.read(name, () => readOsvRecord(parse(name, bytes), score))
    if (record) yield* advisoriesOf(record)
  }
}

function isYaml(name: string): boolean {
  return /\.ya?ml$/.test(name)
}
