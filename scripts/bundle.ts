/**
 * Makes dist, the program that people run: the modules that are always loaded together become one file, and what a verb
 * loads when it needs it stays a file of its own. `bin/bale` runs it as long as no source is newer; the sources otherwise.
 *
 * The files are CommonJS, which Node loads in a fraction of the time of ES modules: it resolves and links each of those by itself, and
 * reads every member of its own modules for them, which loads what most commands never use. Whoever imports the package
 * gets ES modules whose names are those of the files.
 *
 * A module that asks for its own place (`import.meta.url`: a worker beside it, package.json above it) gets the place that
 * it would have if each source became a file of its own below dist; what is loaded by such a place is an entry here.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { build, type Metafile, type Plugin, transform } from 'esbuild'

const project = resolve(import.meta.dirname, '..')
const source = join(project, 'src')
const target = join(project, 'dist')
/** What `bin/bale` compares the sources with: older than the reading of the first one. */
const STAMP = 'made-of-sources'
/** Stands for the way from the file that a module ended up in to dist, which is known when all are written. */
const TO_DIST = '@@TO-DIST@@'

const IMPORTED = /^var (import_\w+) = (require\(".*?"\)|(?:__toESM|ofPackage)\(require\(".*?"\)\));$/gm
/** A file that is imported for nothing: no module of ours acts when it is loaded but the programs' own. */
const FOR_NOTHING = /^require\("\.{1,2}\/.*?"\);$/gm

/**
 * A package's module as an import sees it: one of ES as it is, one of CommonJS with all that it exports as its default, also where it
 * was made of an ES module.
 */
const PACKAGE = /__toESM\(require\("([^."][^"]*)"\)(?:, 1)?\)/g
const OF_PACKAGE = `const ofPackage = (module) => module[Symbol.toStringTag] === 'Module' ? module : __toESM(module, 1);\n`

/** Before modules that ask for their place. */
const OWN_URL = `const ownUrl = require('node:url').pathToFileURL(__filename).href;\n`

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
      const place = `${TO_DIST}/${relative(source, path).replace(/\.ts$/, '.cjs')}`
      return {
        contents: text.replaceAll('import.meta.url', `new URL(${JSON.stringify(place)}, import.meta.url).href`),
        loader: 'ts',
      }
    })
  },
}

const { outputFiles, metafile } = await build({
  metafile: true,
  absWorkingDir: project,
  entryPoints: ['src/cli/main.ts', ...doors, ...byPlace],
  outbase: 'src',
  outdir: temporary,
  chunkNames: 'chunks/[name]-[hash]',
  outExtension: { '.js': '.cjs' },
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
  writeFileSync(path, await commonJs(text.replaceAll(TO_DIST, relative(dirname(path), temporary) || '.')))
}
for (const door of doors) {
  const path = join(temporary, relative('src', door)).replace(/\.ts$/, '.js')
  writeFileSync(path, moduleOf(outputFiles.find((one) => one.path === path.replace(/\.js$/, '.cjs'))!, metafile))
}
writeFileSync(join(temporary, STAMP), '')
utimesSync(join(temporary, STAMP), begun, begun)
rmSync(target, { recursive: true, force: true })
renameSync(temporary, target)

/** The ES module of a door: a program that imports it, and one that requires it, have the same classes. */
function moduleOf({ path }: { path: string }, { outputs }: Metafile): string {
  const { exports } = outputs[relative(project, path)]!
  return `import door from './${basename(path)}'\nexport const { ${exports.join(', ')} } = door\n`
}

async function commonJs(text: string): Promise<string> {
  const { code } = await transform(text, {
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    // What is loaded on demand is loaded by the same, quick way.
    supported: { 'dynamic-import': false },
    define: { 'import.meta.url': 'ownUrl' },
    logLevel: 'warning',
  })
  const imported = code.replace(PACKAGE, 'ofPackage(require("$1"))')
  const lazy = loadedWhenUsed(imported)
  const own = lazy.includes('ownUrl') ? OWN_URL : ''
  return `${own}${lazy.includes('ofPackage(') ? OF_PACKAGE : ''}${lazy}`
}

/** Has what a file imports loaded by the first use of it: most commands use few of the functions of the files that they load. */
function loadedWhenUsed(code: string): string {
  const names = new Set<string>()
  const declared = code.replace(IMPORTED, (_, name: string, loaded: string) => {
    names.add(name)
    return `var loaded_${name}, ${name} = () => loaded_${name} ??= ${loaded};`
  })
  const used = declared.replace(/\b(import_\w+)\./g, (text, name: string) => (names.has(name) ? `(${name}()).` : text))
  const whole = [...used.matchAll(/\b(import_\w+)\b(?!\(\)\)| = \(\) =>| \?\?= )/g)].find(([, name]) =>
    names.has(name!),
  )
  if (whole) throw new Error(`a file uses the module ${whole[1]} as a whole, which cannot be loaded later`)
  return used.replace(FOR_NOTHING, '')
}
