import { isBaleError } from '#base'
import type { Analyser } from '../../analyser.ts'
import { createCollector, isName } from '../../collector.ts'
import type { FoundInFile } from '../../model.ts'
import { isNamed } from '../file-names.ts'
import { isObject, type JsonObject, listOf, parseLenientDocument, textOf } from '../json.ts'

/** npm publishes none above 1 MB. */
const MANIFEST_LIMIT = 4 << 20

/**
 * npm packages as they are installed: every package.json with a name and a version, also outside of node_modules, where
 * applications and programs like yarn are. One without them is no package, but says how the files beside it are loaded.
 * Damaged ones are a gap only where npm puts a package's own manifest: packages ship broken ones deeper down, to test
 * with. Source: docs.npmjs.com, "package.json".
 */
export const npmManifest: Analyser = {
  name: 'npm',
  language: true,
  wants: ({ path }) =>
    isNamed(path, 'package.json')
      ? { limit: MANIFEST_LIMIT, as: isOwnManifest(path) ? 'own manifest' : 'manifest' }
      : undefined,
  analyse: async (file) => {
    const bytes = await file.read()
    try {
      return packageOf(file.path, parseLenientDocument(bytes, 'the manifest'))
    } catch (error) {
      if (isBaleError(error) && !isOwnManifest(file.path)) return {}
      throw error
    }
  },
}

function packageOf(path: string, manifest: JsonObject): FoundInFile {
  const [name, version] = [textOf(manifest['name']), textOf(manifest['version'])]
  if (!isName(name) || !isName(version)) return {}
  const collector = createCollector(path)
  collector.add({ type: 'npm', name, version, licences: npmLicences(manifest) })
  return collector.result()
}

/** `node_modules/name/package.json`, `node_modules/@scope/name/package.json`, and whatever is in no node_modules. */
function isOwnManifest(path: string): boolean {
  const parts = path.split('/')
  const depth = parts.length - parts.lastIndexOf('node_modules') - 1
  return !parts.includes('node_modules') || depth === 2 || (depth === 3 && parts.at(-3)!.startsWith('@'))
}

/** `license` as an expression, as an object with a type, and `licenses` as a list of either, which npm has had in turn. */
export function npmLicences(manifest: JsonObject): string[] {
  const { license, licenses } = manifest
  const written = [license, ...(Array.isArray(licenses) ? listOf(licenses) : [licenses])]
  return written.map((one) => textOf(isObject(one) ? (one['type'] ?? one['name']) : one)).filter((one) => one !== '')
}
