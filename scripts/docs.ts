/** Writes the reference pages that come from the code: docs/errors.md, docs/cli.md, docs/registry-configuration.md, docs/registry/api.md and docs/api. Run by `npm run docs`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { publicApi } from './public-api.ts'
import { apiPages, configurationPages, errorsPage, registryApiPages, verbsPage } from './reference-pages.ts'

const root = resolve(import.meta.dirname, '..')
const docs = resolve(root, 'docs')
const pages = {
  'errors.md': errorsPage(),
  'cli.md': await verbsPage(),
  ...(await configurationPages((name) => readFileSync(resolve(root, 'deploy', name), 'utf8'))),
  ...(await registryApiPages()),
  ...apiPages(publicApi(root)),
}
for (const [name, text] of Object.entries(pages)) {
  const path = resolve(docs, name)
  if (readOr(path) === text) continue
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  console.log(`wrote docs/${name}`)
}

function readOr(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
