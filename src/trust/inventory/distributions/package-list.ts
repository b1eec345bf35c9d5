import { createCollector } from '../collector.ts'
import type { FoundInFile, FoundPackage } from '../model.ts'
import { controlParagraphs } from './control-file.ts'

/**
 * The packages of a file at `where` that has a paragraph for each; `packageOf` makes a package of the wanted fields, or
 * undefined when it is not installed. A file without any paragraph that is not empty is a gap.
 */
export function readPackageList(
  where: string,
  bytes: Buffer,
  wanted: ReadonlySet<string>,
  packageOf: (fields: ReadonlyMap<string, string>) => FoundPackage | undefined,
): FoundInFile {
  const collector = createCollector(where)
  let paragraphs = 0
  for (const fields of controlParagraphs(bytes, wanted)) {
    paragraphs++
    const found = packageOf(fields)
    if (found && !collector.add(found)) break
  }
  if (paragraphs === 0 && bytes.some((byte) => byte > 0x20)) collector.miss('it is not a list of packages')
  return collector.result()
}
