import { parseJson } from '#spec'
import type { FoundPackage } from '../model.ts'
import type { GoBuildInfo } from './go-build-info.ts'

/**
 * The modules that a Go program was built from, and `stdlib`: the standard library of its version of Go, without the `go`.
 * A module that is replaced by another one has the name of that one. A version that nobody knows is empty: of the main
 * module when it was built from a working copy and no version was stamped into it, and of a module replaced by a directory.
 * Source: Go, `runtime/debug.BuildInfo`; cmd/link, `-X`.
 */
export function goPackages({ version, modules }: GoBuildInfo): FoundPackage[] {
  const found: Module[] = []
  let main: Module | undefined
  let flags = ''
  for (const line of modules.split('\n')) {
    const [word, ...fields] = line.split('\t')
    const module = { name: fields[0] ?? '', version: known(fields[1]) }
    if (word === 'mod') main = module
    if (word === 'dep') found.push(module)
    if (word === '=>' && found.length > 0) found.push(replaced(found.pop()!, module))
    if (word === 'build' && module.name.startsWith(FLAGS)) flags = module.name.slice(FLAGS.length)
  }
  if (main) found.push({ ...main, version: main.version || stampedVersion(flags, main.name) })
  found.unshift({ name: 'stdlib', version: versionOfGo(version) })
  return unique(found).map((module) => ({ type: 'golang', ...module }))
}

interface Module {
  readonly name: string
  readonly version: string
}

const FLAGS = '-ldflags='
const LONGEST_NAME = 1024

/** Without the experiments of the build; `devel` for one of development, which stands for no release. */
function versionOfGo(version: string): string {
  return version.replace(/^go(?=\d)/, '').split(' ', 1)[0]!
}

function known(version: string | undefined): string {
  return version === undefined || version === '(devel)' ? '' : version
}

/** A directory has no version, so the code is some state of the module that it replaces. */
function replaced(module: Module, by: Module): Module {
  return by.version === '' || /^\.{0,2}\//.test(by.name) ? { name: module.name, version: '' } : by
}

/** In their order, without names that no module can have. */
function unique(modules: readonly Module[]): Module[] {
  const usable = modules.filter(({ name, version }) => isWord(name) && (version === '' || isWord(version)))
  return [...new Map(usable.map((module) => [`${module.name}@${module.version}`, module])).values()]
}

function isWord(text: string): boolean {
  return text !== '' && text.length <= LONGEST_NAME && !/[\u0000-\u0020\u007f-\u009f]/.test(text)
}

/**
 * The version that the linker was told to set in a variable `version` of the main package, or else of another package of
 * the main module. Empty when there is none, or several that differ.
 */
function stampedVersion(quotedFlags: string, module: string): string {
  const set = [...unquoted(quotedFlags).matchAll(/-X[=\s]+['"]?([^\s'"=]+)=([^\s'"]*)/g)]
    .map(([, variable = '', value = '']) => ({ ...splitVariable(variable), value }))
    .filter(({ name, value }) => /^(?:version|ver)$/i.test(name) && RELEASE.test(value))
  const inMain = set.filter(({ home }) => home === 'main')
  const inModule = set.filter(({ home }) => home === module || home.startsWith(`${module}/`))
  const values = new Set((inMain.length > 0 ? inMain : inModule).map(({ value }) => value.replace(/^v?/, 'v')))
  return values.size === 1 ? [...values][0]! : ''
}

const RELEASE = /^v?\d{1,9}\.\d{1,9}(?:\.\d{1,9})?(?:[-+.][0-9A-Za-z.+-]{1,100})?$/

function splitVariable(variable: string): { home: string; name: string } {
  const dot = variable.lastIndexOf('.')
  return { home: variable.slice(0, Math.max(0, dot)), name: variable.slice(dot + 1) }
}

/** Go quotes a value with spaces as in its own source; what differs there from JSON does not occur in versions. */
function unquoted(value: string): string {
  if (value.startsWith('`')) return value.slice(1, -1)
  const text = value.startsWith('"') ? parseJson(value) : undefined
  return typeof text === 'string' ? text : value
}
