import { BaleError } from '#base'
import type { Analyser, Interest, ReadableFile } from '../../analyser.ts'
import { createCollector } from '../../collector.ts'
import type { FoundInFile } from '../../model.ts'
import { eggMetadata } from './egg.ts'
import { headerFields } from './header-fields.ts'

/** With the description of the package, which is often a whole manual. */
const METADATA_LIMIT = 8 << 20
const EGG_LIMIT = 64 << 20

/** Ends of the paths of files that have a package's metadata: of wheels, and of what setuptools installed in its time. */
const METADATA = ['.dist-info/METADATA', '.egg-info/PKG-INFO', 'EGG-INFO/PKG-INFO', '.egg-info']

/**
 * Python packages as they are installed, also those in archives that Python imports from (`.egg`). Source: Python
 * packaging user guide, "Recording installed projects" and "Core metadata".
 */
export const pythonMetadata: Analyser = {
  name: 'python',
  language: true,
  wants: ({ path }): Interest | undefined => {
    if (METADATA.some((end) => path.endsWith(end))) return { limit: METADATA_LIMIT }
    // Other files have this ending too.
    return path.endsWith('.egg') ? { limit: EGG_LIMIT, magic: ['PK\x03\x04'] } : undefined
  },
  analyse: async (file) => {
    const metadata = file.path.endsWith('.egg') ? await eggMetadata(file) : await file.read()
    return metadata ? packageOf(file, metadata.toString()) : {}
  },
}

function packageOf(file: ReadableFile, metadata: string): FoundInFile {
  const fields = headerFields(metadata)
  const [name = '', version = ''] = [fields.get('name')?.[0], fields.get('version')?.[0]]
  if (name === '' || version === '') throw new BaleError('INVALID_ARGUMENT', 'it does not say the name and the version')
  const collector = createCollector(file.path)
  collector.add({ type: 'pypi', name, version, licences: licencesOf(fields) })
  return collector.result()
}

/** As setuptools says that it does not know. */
const UNKNOWN = 'UNKNOWN'
const CLASSIFIER = 'License :: '

/** The expression of metadata 2.4; before that a name, or the text of the licence, for which the classifiers stand in. */
function licencesOf(fields: ReadonlyMap<string, readonly string[]>): string[] {
  const named = [fields.get('license-expression')?.[0], fields.get('license')?.[0]].find(
    (one) => one && one !== UNKNOWN && one.length <= 200 && !one.includes('\n'),
  )
  if (named) return [named]
  const classifiers = fields.get('classifier') ?? []
  return classifiers
    .filter((one) => one.startsWith(CLASSIFIER))
    .map((one) => one.slice(CLASSIFIER.length).replace(/^OSI Approved :: /, ''))
    .filter((one) => one !== 'OSI Approved')
}
