/**
 * Imports and exports of TypeScript modules as the compiler's own parser sees them, for the tests of the architecture.
 * It sees static imports, `export … from`, `import('…')`, `typeof import('…')`, `new URL('./x.ts', import.meta.url)`,
 * `siblingModule(import.meta.url, './x')` and `createRequire(…)('x')`. Modules are named by path from the root of the
 * repository (`src/store/layers.ts`).
 */
import { globSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { type Node, type SourceFile, SyntaxKind, type TemplateExpression } from 'typescript/unstable/ast'
import * as is from 'typescript/unstable/ast/is'
import { createVirtualFileSystem } from 'typescript/unstable/fs'
import { API } from 'typescript/unstable/sync'

export type ImportForm =
  | 'import'
  | 'export' // export … from
  | 'dynamic' // import('…')
  | 'type query' // typeof import('…')
  | 'module URL'
  | 'require'

export interface ModuleImport {
  /** As written: `#store`, `./x.ts`, `node:fs`, `koffi`. */
  specifier: string
  /** The module of this repository that it leads to; undefined for packages and for files that are no modules. */
  target?: string
  form: ImportForm
  typeOnly: boolean
  /** Names as the imported module exports them; undefined when all may be used. */
  names?: string[]
  /** Whether it stands inside a function, so that loading the module does not load the imported one. */
  insideFunction: boolean
}

export interface ModuleExport {
  name: string
  type: boolean
  /** Set for `export { original as name } from 'specifier'`; name and original are `*` for `export *`. */
  from?: { target?: string; original: string }
}

export interface Module {
  name: string
  text: string
  imports: ModuleImport[]
  exports: ModuleExport[]
  /** How many times the module is imported by a computed name: `import(job.module)`. */
  computedImports: number
  /** String literals and templates (with `…` for what is filled in), except those that name modules; of `src` alone. */
  strings: readonly string[]
  /** Statements that do something when the module is loaded, by their first words; not those about a constant of its own. */
  acts: readonly string[]
}

/** The modules of the product, its tests, benchmarks and scripts, from the root of the repository. */
export function readModules(root: string, directories: readonly string[]): Module[] {
  const names = directories.flatMap((directory) => globSync(`${directory}/**/*.{ts,js}`, { cwd: root }))
  return parseModules(Object.fromEntries(names.map((name) => [name, readFileSync(join(root, name), 'utf8')])))
}

/** The same for texts by name: small trees that a test of a rule makes up. */
export function parseModules(files: Record<string, string>): Module[] {
  const known = new Set(Object.keys(files))
  return eachTree(files, (name, tree) => new Reader(name, files[name]!, known).read(tree))
}

/** Calls `visit` with the syntax tree of each text, which is valid only during the call. */
export function eachTree<T>(files: Record<string, string>, visit: (name: string, tree: SourceFile) => T): T[] {
  const config = {
    compilerOptions: { noLib: true, types: [], noResolve: true, allowJs: true, noEmit: true },
    files: Object.keys(files),
  }
  const texts = Object.entries(files).map(([name, text]) => [posix.join('/', name), text])
  const fs = createVirtualFileSystem({ ...Object.fromEntries(texts), '/tsconfig.json': JSON.stringify(config) })
  const api = new API({ cwd: '/', fs })
  try {
    const project = api.updateSnapshot({ openProjects: ['/tsconfig.json'] }).getProject('/tsconfig.json')!
    return Object.keys(files).map((name) => {
      const tree = project.program.getSourceFile(posix.join('/', name))
      if (!tree) throw new Error(`${name} was not parsed`)
      return visit(name, tree)
    })
  } finally {
    api.close()
  }
}

const ACTS: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.ExpressionStatement,
  SyntaxKind.IfStatement,
  SyntaxKind.ForStatement,
  SyntaxKind.ForOfStatement,
  SyntaxKind.TryStatement,
  SyntaxKind.Block,
])

class Reader {
  readonly #module: Module
  readonly #known: ReadonlySet<string>
  readonly #identifiers = new Set<string>()
  readonly #requires = new Set<string>()
  readonly #strings: string[] = []
  readonly #acts: string[] = []

  constructor(name: string, text: string, known: ReadonlySet<string>) {
    this.#module = {
      name,
      text,
      imports: [],
      exports: [],
      computedImports: 0,
      strings: this.#strings,
      acts: this.#acts,
    }
    this.#known = known
  }

  read(tree: SourceFile): Module {
    for (const statement of tree.statements) this.#statement(statement)
    // Only then do all of its nodes have to be looked at, which is what takes the time.
    const { name, text } = this.#module
    const hasTexts = name.startsWith('src/') && !name.endsWith('.test.ts')
    if (hasTexts || /\bimport\s*\(|import\.meta|\bcreateRequire\b/.test(text)) {
      for (const statement of tree.statements) {
        if (!is.isImportDeclaration(statement) && !is.isExportDeclaration(statement)) this.#look(statement, false)
      }
      for (const one of this.#module.imports) {
        if (one.form === 'dynamic' || one.form === 'type query') one.names ??= [...this.#identifiers]
      }
    }
    return this.#module
  }

  #statement(node: Node): void {
    if (is.isImportDeclaration(node)) {
      const clause = node.importClause
      const bindings = clause?.namedBindings
      const whole = bindings && is.isNamespaceImport(bindings)
      const named = bindings && is.isNamedImports(bindings) ? [...bindings.elements] : []
      const names = [...(clause?.name ? ['default'] : []), ...named.map((one) => (one.propertyName ?? one.name).text)]
      const typeOnly =
        clause?.phaseModifier === SyntaxKind.TypeKeyword ||
        (named.length > 0 && !clause?.name && named.every((one) => one.isTypeOnly))
      this.#add(textOf(node.moduleSpecifier), 'import', { typeOnly, names: whole ? undefined : names })
    } else if (is.isExportDeclaration(node)) {
      const clause = node.exportClause
      const named = clause && is.isNamedExports(clause) ? [...clause.elements] : undefined
      const specifier = node.moduleSpecifier && textOf(node.moduleSpecifier)
      const target = specifier && this.#resolve(specifier)
      if (specifier) {
        const typeOnly = node.isTypeOnly || (named?.every((one) => one.isTypeOnly) ?? false)
        this.#add(specifier, 'export', { typeOnly, names: named?.map((one) => (one.propertyName ?? one.name).text) })
      }
      for (const one of named ?? []) {
        const from = specifier ? { target, original: (one.propertyName ?? one.name).text } : undefined
        this.#module.exports.push({ name: one.name.text, type: node.isTypeOnly || one.isTypeOnly, from })
      }
      if (!named) this.#module.exports.push({ name: '*', type: node.isTypeOnly, from: { target, original: '*' } })
    } else if (ACTS.has(node.kind)) {
      const words = node.getText().slice(0, 60)
      const [, subject = ''] = /^(\w+)\./.exec(words) ?? []
      if (!new RegExp(`^const ${subject} =`, 'm').test(this.#module.text)) this.#acts.push(words)
    } else if (isExported(node)) {
      const type = is.isInterfaceDeclaration(node) || is.isTypeAliasDeclaration(node)
      for (const name of declaredNames(node)) this.#module.exports.push({ name, type })
    }
  }

  #look(node: Node, insideFunction: boolean): void {
    if (is.isIdentifier(node)) this.#identifiers.add(node.text)
    else if (is.isStringLiteralLikeNode(node)) this.#strings.push(node.text)
    else if (is.isTemplateExpression(node)) this.#strings.push(templateText(node))
    else if (is.isImportTypeNode(node)) {
      const argument = node.argument
      const specifier = is.isLiteralTypeNode(argument) ? textOf(argument.literal) : ''
      this.#add(specifier, 'type query', { typeOnly: true, insideFunction })
    } else if (is.isVariableDeclaration(node) && is.isIdentifier(node.name) && isCreateRequire(node.initializer)) {
      this.#requires.add(node.name.text)
    } else if (is.isCallExpression(node) || is.isNewExpression(node)) {
      const first = node.arguments?.[0]
      const callee = node.expression
      if (callee.kind === SyntaxKind.ImportKeyword) {
        if (first && is.isStringLiteralLikeNode(first)) this.#add(first.text, 'dynamic', { insideFunction })
        else this.#module.computedImports += 1
      } else if (isCreateRequire(callee) || (is.isIdentifier(callee) && this.#requires.has(callee.text))) {
        if (first) this.#add(textOf(first), 'require', { insideFunction })
      } else this.#moduleUrl([...(node.arguments ?? [])], insideFunction)
    }
    const inner = insideFunction || FUNCTIONS.has(node.kind)
    node.forEachChild((child) => this.#look(child, inner))
  }

  /** A call that gets both `import.meta.url` and a relative path. */
  #moduleUrl(parts: Node[], insideFunction: boolean): void {
    const relative = parts.find((one) => is.isStringLiteralLikeNode(one) && /^\.\.?\//.test(textOf(one)))
    if (!relative || !parts.some((one) => one.getText() === 'import.meta.url')) return
    this.#add(textOf(relative), 'module URL', { insideFunction })
  }

  #add(specifier: string, form: ImportForm, details: Partial<ModuleImport> = {}): void {
    const { typeOnly = false, insideFunction = false, names } = details
    this.#module.imports.push({ specifier, target: this.#resolve(specifier), form, typeOnly, names, insideFunction })
  }

  #resolve(specifier: string): string | undefined {
    if (specifier.startsWith('#')) return `src/${specifier.slice(1)}/index.ts`
    if (!specifier.startsWith('.')) return undefined
    const path = posix.join(posix.dirname(this.#module.name), specifier)
    return [path, `${path}.ts`].find((one) => this.#known.has(one))
  }
}

const FUNCTIONS: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.FunctionDeclaration,
  SyntaxKind.FunctionExpression,
  SyntaxKind.ArrowFunction,
  SyntaxKind.MethodDeclaration,
  SyntaxKind.Constructor,
  SyntaxKind.GetAccessor,
  SyntaxKind.SetAccessor,
])

function templateText({ head, templateSpans }: TemplateExpression): string {
  return [head, ...templateSpans.map((span) => span.literal)].map(({ text }) => text).join('…')
}

function textOf(node: Node): string {
  return is.isStringLiteralLikeNode(node) ? node.text : ''
}

function isCreateRequire(node: Node | undefined): boolean {
  return (
    !!node && is.isCallExpression(node) && is.isIdentifier(node.expression) && node.expression.text === 'createRequire'
  )
}

function isExported(node: Node): boolean {
  const modifiers = (node as { modifiers?: readonly Node[] }).modifiers
  return modifiers?.some((one) => one.kind === SyntaxKind.ExportKeyword) ?? false
}

function declaredNames(node: Node): string[] {
  if (is.isVariableStatement(node)) {
    return node.declarationList.declarations.flatMap(({ name }) => (is.isIdentifier(name) ? [name.text] : []))
  }
  const name = (node as { name?: Node }).name
  return name && is.isIdentifier(name) ? [name.text] : []
}
