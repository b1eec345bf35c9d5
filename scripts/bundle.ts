/**
 * Makes dist, the program that people run: the modules that are always loaded together become one file, and what a verb
 * loads when it needs it stays a file of its own. `bin/bale` runs it as long as no source is newer; the sources otherwise.
 *
 * A module that asks for its own place (`import.meta.url`: a worker beside it, package.json above it) gets the place that
 * it would have if each source became a file of its own below dist; what is loaded by such a place is an entry here.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { build, type Plugin } from 'esbuild'

const project = resolve(import.meta.dirname, '..')
const source = join(project, 'src')
const target = join(project, 'dist')
/** What `bin/bale` compares the sources with: older than the reading of the first one. */
const STAMP = 'made-of-sources'
/** Stands for the way from the file that a module ended up in to dist, which is known when all are written. */
const TO_DIST = '@@TO-DIST@@'

const begun = new Date()
const temporary = `${target}.${process.pid}`
const { exports, dependencies } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
  exports: Record<string, string | { source: string }>
  dependencies: Record<string, string>
}
const doors = Object.values(exports).flatMap((one) => (typeof one === 'string' ? [] : [one.source]))
const byPlace = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .flatMap((name) => {
    const asked = readFileSync(join(source, name), 'utf8').matchAll(/siblingModule\(import\.meta\.url, '(.*?)'\)/g)
    return [...asked].map(([, sibling]) => join('src', dirname(name), `${sibling}.ts`))
  })

const placed: Plugin = {
  name: 'places',
  setup({ onLoad }) {
    onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8')
      if (!text.includes('import.meta.url')) return undefined
      const place = `${TO_DIST}/${relative(source, path).replace(/\.ts$/, '.js')}`
      return {
        contents: text.replaceAll('import.meta.url', `new URL(${JSON.stringify(place)}, import.meta.url).href`),
        loader: 'ts',
      }
    })
  },
}

const { outputFiles } = await build({
  absWorkingDir: project,
  entryPoints: ['src/cli/main.ts', ...doors, ...byPlace],
  outbase: 'src',
  outdir: temporary,
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  conditions: ['source'],
  // The dependencies stay npm's: one copy, that an audit of the user's tree sees.
  external: Object.keys(dependencies),
  legalComments: 'none',
  logLevel: 'warning',
  write: false,
  plugins: [placed],
})
for (const { path, text } of outputFiles) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text.replaceAll(TO_DIST, relative(dirname(path), temporary) || '.'))
}
writeFileSync(join(temporary, STAMP), '')
utimesSync(join(temporary, STAMP), begun, begun)
rmSync(target, { recursive: true, force: true })
renameSync(temporary, target)
