import { BaleError } from '#base'
import type { Analyser } from '../analyser.ts'
import { createCollector } from '../collector.ts'
import type { FoundInFile } from '../model.ts'
import { isNamed } from './file-names.ts'
import { listOf, objectOf, parseDocument, parseDocumentValue, textOf } from './json.ts'
import { lockfileNamed } from './lockfile.ts'

/** It has the manifests of all packages. */
const INSTALLED_LIMIT = 64 << 20

/**
 * PHP packages as composer installed them. The file is a list in version 1 of composer, and has one in version 2.
 */
export const composerInstalled: Analyser = {
  name: 'composer',
  language: true,
  wants: ({ path }) => (isNamed(path, 'composer/installed.json') ? { limit: INSTALLED_LIMIT } : undefined),
  analyse: async (file) => {
    const document = parseDocumentValue(await file.read(), 'the list')
    return packagesOf(file.path, Array.isArray(document) ? document : objectOf(document)['packages'])
  },
}

/** Packages that composer's lockfile lists, without those for development alone. Source: getcomposer.org, "Basic usage". */
export const composerLockfile: Analyser = {
  name: 'composer-lockfile',
  language: true,
  installsInto: 'vendor',
  wants: ({ path }) => lockfileNamed(path, 'composer.lock', 'vendor'),
  analyse: async (file) => packagesOf(file.path, parseDocument(await file.read(), 'the lockfile')['packages']),
}

function packagesOf(path: string, packages: unknown): FoundInFile {
  if (!Array.isArray(packages)) throw new BaleError('INVALID_ARGUMENT', 'it has no list of packages')
  const collector = createCollector(path)
  for (const one of packages) {
    const { name, version, license } = objectOf(one)
    const licences = (Array.isArray(license) ? listOf(license) : [license]).map(textOf)
    if (!collector.add({ type: 'composer', name: textOf(name), version: textOf(version), licences })) break
  }
  return collector.result()
}
