/** Which exports of `src` the product does not need: nobody imports them, or tests alone do. */
import { inSource, isTestModule } from './layering-rules.ts'
import type { Module, ModuleImport } from './module-graph.ts'

export interface UnusedExport {
  line: string
  type: boolean
}

/**
 * One line per export, `store/layers.ts: openLayer` or `store/layers.ts: openLayer (tests only)`. An export that only its
 * own module uses needs no `export`, unless a test tries that part by itself. A name that a door passes on is used when
 * somebody takes it from the door; otherwise both the line of the door and the export behind it are reported. Whatever a
 * public door of the package names is used. Scripts count as the product, benchmarks as tests.
 */
export function unusedExports(modules: readonly Module[], publicDoors: readonly string[]): UnusedExport[] {
  const byName = new Map(modules.map((one) => [one.name, one]))
  const used = new Map<string, 'product' | 'tests'>()

  const mark = (module: Module | undefined, name: string, user: 'product' | 'tests'): void => {
    const found = module?.exports.filter((one) => one.name === name || one.name === '*') ?? []
    for (const one of found) {
      const key = `${module!.name}: ${one.name}`
      if (used.get(key) !== 'product') used.set(key, user)
      if (one.from?.target) mark(byName.get(one.from.target), one.name === '*' ? name : one.from.original, user)
    }
  }

  for (const door of publicDoors)
    for (const name of exportedNames(byName, door)) mark(byName.get(door), name, 'product')
  for (const module of modules) {
    const user = isTestModule(module.name) && !module.name.startsWith('scripts/') ? 'tests' : 'product'
    for (const one of module.imports) {
      if (one.form === 'export' || !one.target) continue
      for (const name of namesTaken(one, exportedNames(byName, one.target))) mark(byName.get(one.target), name, user)
    }
  }

  return modules
    .filter(({ name }) => name.startsWith('src/') && !isTestModule(name))
    .flatMap((module) =>
      module.exports.flatMap((one) => {
        const key = `${module.name}: ${one.name}`
        const user = used.get(key)
        if (user === 'product' || (user === 'tests' && !one.from && isUsedWithin(module, one.name))) return []
        return [{ line: inSource(user ? `${key} (tests only)` : key), type: one.type }]
      }),
    )
}

/** The name occurs once more than where it is declared. */
function isUsedWithin({ text }: Module, name: string): boolean {
  return text.split(new RegExp(`(?<![\\w$])${name.replaceAll('$', '\\$')}(?![\\w$])`)).length > 2
}

/** An import of the whole module takes what its importer names, or all when it names none of it (a table of modules). */
function namesTaken(one: ModuleImport, exported: readonly string[]): readonly string[] {
  if (one.form === 'module URL' || !one.names) return exported
  if (one.form === 'import') return one.names
  const named = exported.filter((name) => one.names!.includes(name))
  return named.length ? named : exported
}

function exportedNames(byName: ReadonlyMap<string, Module>, door: string, seen = new Set<string>()): string[] {
  if (seen.has(door)) return []
  seen.add(door)
  return (byName.get(door)?.exports ?? []).flatMap((one) =>
    one.name === '*' && one.from?.target ? exportedNames(byName, one.from.target, seen) : [one.name],
  )
}
