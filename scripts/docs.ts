/** Writes the reference pages that come from the code: docs/errors.md and docs/cli.md. Run by `npm run docs`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { errorsPage, verbsPage } from './reference-pages.ts'

const docs = resolve(import.meta.dirname, '../docs')
const pages = { 'errors.md': errorsPage(), 'cli.md': await verbsPage() }
for (const [name, text] of Object.entries(pages)) {
  const path = resolve(docs, name)
  if (readOr(path) === text) continue
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
