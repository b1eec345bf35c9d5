/**
 * The rules that test/sources/architecture.ts holds, as functions from modules to sentences about what breaks them: pure,
 * so that test/layering-rules.test.ts can show on small made-up trees that each of them can fail.
 */
import { posix } from 'node:path'
import type { Module, ModuleImport } from './module-graph.ts'

export interface Layering {
  /** Room -> rooms (or doors of rooms, `host/file`) that it may import. */
  rooms: Record<string, readonly string[]>
  /** `cli/verbs/registry.ts -> registry`: single modules that may import one room more. */
  exceptions: readonly string[]
  /** `low/a.ts -> high`: rooms that come in by a computed module URL, which no reader of imports sees. */
  byModuleUrl: readonly string[]
}

/** Modules of `src` that are part of the product. */
export function productModules(modules: readonly Module[]): Module[] {
  return modules.filter(({ name }) => name.startsWith('src/') && !isTestModule(name))
}

/** Tests, contract suites and everything outside `src` and `bin`. */
export function isTestModule(name: string): boolean {
  return !/^(?:src|bin)\//.test(name) || /(?:\.test|\/contract|-contract)\.ts$/.test(name)
}

/** Path inside `src`. */
export function inSource(name: string): string {
  return name.replace(/^src\//, '')
}

export function roomOf(name: string): string {
  return inSource(name).split('/')[0]!
}

/** Rooms import only the rooms that the table allows, by their front doors; paths by `..` stay inside the room. */
export function importsAgainstTheTable(modules: readonly Module[], layering: Layering): string[] {
  return modules.flatMap((module) => {
    const name = inSource(module.name)
    const room = roomOf(module.name)
    return module.imports.flatMap(({ specifier, target }) => {
      if (specifier.startsWith('#')) {
        const place = specifier.slice(1)
        const other = place.split('/')[0]!
        if (layering.exceptions.includes(`${name} -> ${other}`)) return []
        if (other === room) return place.includes('/') ? [] : [`${name} imports its own front door ${specifier}`]
        const allowed = layering.rooms[room] ?? []
        return allowed.includes(other) || allowed.includes(place) ? [] : [`${name} imports ${specifier}`]
      }
      // What a new process is started with (bin) is no import of a room.
      return target?.startsWith('src/') && roomOf(target) !== room ? [`${name} reaches into ${inSource(target)}`] : []
    })
  })
}

/** Modules that import by a computed name are declared with the room that comes in, and no others are. */
export function undeclaredModuleUrls(modules: readonly Module[], layering: Layering): string[] {
  const declared = layering.byModuleUrl.map((line) => line.split(' -> ')[0]!)
  const found = modules.filter((one) => one.computedImports > 0).map((one) => inSource(one.name))
  return [
    ...found.filter((name) => !declared.includes(name)).map((name) => `${name} imports by a computed name`),
    ...declared
      .filter((name) => !found.includes(name))
      .map((name) => `${name} is declared and imports by no such name`),
  ]
}

/** A directory inside a room that has an `index.ts` is imported by it alone from outside. */
export function importsAroundInnerDoors(modules: readonly Module[]): string[] {
  const known = new Set(modules.map((one) => one.name))
  return modules.flatMap((module) =>
    module.imports.flatMap(({ target }) => {
      if (!target || roomOf(target) !== roomOf(module.name)) return []
      const around = directoriesOf(target).find(
        (directory) =>
          known.has(`${directory}/index.ts`) &&
          target !== `${directory}/index.ts` &&
          !module.name.startsWith(`${directory}/`),
      )
      return around ? [`${inSource(module.name)} -> ${inSource(target)}`] : []
    }),
  )
}

/** Directories of a room that lead to the file: `src/a/b/c.ts` has `src/a/b`, not `src/a`. */
function directoriesOf(name: string): string[] {
  const parts = name.split('/').slice(0, -1)
  return parts.map((_, at) => parts.slice(0, at + 1).join('/')).slice(2)
}

/** Circles of files, each as the sorted names of its members: files that all reach one another. */
export function fileCircles(modules: readonly Module[], counts: (one: ModuleImport) => boolean): string[][] {
  const known = new Set(modules.map((one) => one.name))
  const edges = new Map(
    modules.map(({ name, imports }) => [
      name,
      imports.filter(counts).flatMap(({ target }) => (target && known.has(target) ? [target] : [])),
    ]),
  )
  return circles(edges).map((members) => members.map(inSource))
}

/** Static imports of values: what Node loads before the module runs. */
export function loadsAtOnce(one: ModuleImport): boolean {
  return !one.typeOnly && (one.form === 'import' || one.form === 'export')
}

/**
 * Circles of directories inside rooms. The door of a directory (`index.ts`) may name what is below it: such an import
 * does not count. Modules directly in the room are the directory of the room itself.
 */
export function directoryCircles(modules: readonly Module[]): string[][] {
  const edges = new Map<string, string[]>()
  for (const { name, imports } of modules) {
    const from = posix.dirname(name)
    const list = edges.get(from) ?? []
    edges.set(from, list)
    for (const { target } of imports) {
      if (!target || roomOf(target) !== roomOf(name)) continue
      const to = posix.dirname(target)
      if (to === from || (name === `${from}/index.ts` && to.startsWith(`${from}/`))) continue
      list.push(to)
    }
  }
  return circles(edges).map((members) => members.map(inSource))
}

/** Modules outside `home` that load the package, in whatever form. */
export function usersOutside(modules: readonly Module[], packageName: string, home: string): string[] {
  return modules
    .filter(({ name }) => !name.startsWith(`src/${home}/`))
    .filter(({ imports }) => imports.some(({ specifier }) => specifier === packageName))
    .map(({ name }) => inSource(name))
}

/** Modules that load the package as soon as they are loaded themselves. */
export function loadedEagerly(modules: readonly Module[], packageName: string): string[] {
  return modules
    .filter(({ imports }) =>
      imports.some((one) => one.specifier === packageName && !one.typeOnly && !one.insideFunction),
    )
    .map(({ name }) => inSource(name))
}

/** The packages that are loaded together with a module, because it or what it imports imports them at once. */
export function packagesLoadedWith(modules: readonly Module[], start: string): string[] {
  const byName = new Map(modules.map((one) => [one.name, one]))
  const reached = new Set([start])
  const packages = new Set<string>()
  for (const name of reached) {
    for (const { specifier, target } of byName.get(name)?.imports.filter(loadsAtOnce) ?? []) {
      if (target !== undefined) reached.add(target)
      else if (!specifier.startsWith('node:')) packages.add(specifier)
    }
  }
  return [...packages].sort()
}

/** Strongly connected parts with more than one member (Tarjan 1972), sorted. */
function circles(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const index = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const found: string[][] = []
  const visit = (node: string) => {
    index.set(node, index.size)
    low.set(node, index.get(node)!)
    stack.push(node)
    for (const next of edges.get(node) ?? []) {
      if (!index.has(next)) visit(next)
      if (stack.includes(next)) low.set(node, Math.min(low.get(node)!, low.get(next)!))
    }
    if (low.get(node) !== index.get(node)) return
    const members = stack.splice(stack.indexOf(node))
    if (members.length > 1) found.push(members.sort())
  }
  for (const node of edges.keys()) if (!index.has(node)) visit(node)
  return found.sort((a, b) => (a[0]! < b[0]! ? -1 : 1))
}
