/** What the public doors of the package export, read from the sources with the compiler's parser: declarations and their JSDoc. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Node } from 'typescript/unstable/ast'
import * as is from 'typescript/unstable/ast/is'
import { eachTree, type Module, parseModules } from '../test/kit/module-graph.ts'

/** A door of the package: `bale` itself, `bale/spec`. */
export interface PublicDoor {
  /** As it is imported. */
  name: string
  /** `engine` */
  room: string
  /** The text on top of the door: what it promises. */
  header: string
  exports: PublicExport[]
}

export interface PublicExport {
  name: string
  kind: 'function' | 'class' | 'interface' | 'type' | 'constant'
  /** JSDoc without its stars; empty when there is none. */
  doc: string
  /** The declaration as it stands, without bodies; of an interface with the documentation of its members. */
  declaration: string
  /** The module that declares it. */
  source: string
  /** Methods of a class. */
  members: { name: string; doc: string; declaration: string }[]
}

/** The doors in the order of package.json. */
export function publicApi(root: string): PublicDoor[] {
  const names = globSync('src/**/*.ts', { cwd: root, exclude: ['**/*.test.ts', '**/contract.ts'] })
  const texts = Object.fromEntries(names.map((name) => [name, readFileSync(join(root, name), 'utf8')]))
  const modules = new Map(parseModules(texts).map((module) => [module.name, module]))
  const declared = new Map<string, PublicExport>()
  eachTree(texts, (name, tree) => {
    for (const node of tree.statements)
      for (const one of declarationsOf(node, name)) declared.set(`${name}: ${one.name}`, one)
  })
  return publicDoors(root).map(({ name, door }) => {
    const { text, exports } = modules.get(door)!
    const found = exports.map(({ name: exported }) => origin(modules, door, exported))
    return {
      name,
      room: door.split('/')[1]!,
      header: words(/^\s*(\/\*\*[\s\S]*?\*\/)/.exec(text)?.[1] ?? '').replace(/^[a-z]+: /, ''),
      exports: found.flatMap((key) => declared.get(key) ?? []).sort((one, other) => (one.name < other.name ? -1 : 1)),
    }
  })
}

function publicDoors(root: string): { name: string; door: string }[] {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, { types: string } | string>
  }
  return Object.entries(exports).flatMap(([path, target]) =>
    typeof target === 'string'
      ? []
      : [
          {
            name: path.replace(/^\./, 'bale'),
            door: target.types.replace('./dist/', 'src/').replace('.d.ts', '.ts'),
          },
        ],
  )
}

/** Follows a name through doors to the module that declares it: `src/spec/digest.ts: Digest`. */
function origin(modules: ReadonlyMap<string, Module>, door: string, name: string): string {
  const from = modules.get(door)?.exports.find((one) => one.name === name)?.from
  return from?.target ? origin(modules, from.target, from.original) : `${door}: ${name}`
}

function declarationsOf(node: Node, source: string): PublicExport[] {
  const whole = node.getText()
  const doc = documentationOf(node)
  const one = (name: string, kind: PublicExport['kind'], declaration: string): PublicExport => ({
    name,
    kind,
    doc,
    declaration: declaration.replace(/^export (?:declare )?/, '').trim(),
    source,
    members: [],
  })
  if (is.isFunctionDeclaration(node) && node.name)
    return [one(node.name.text, 'function', headOf(node, node.body).replace(/^(export )?async /, '$1'))]
  if (is.isInterfaceDeclaration(node)) return [one(node.name.text, 'interface', whole)]
  if (is.isTypeAliasDeclaration(node)) return [one(node.name.text, 'type', whole)]
  if (is.isClassDeclaration(node) && node.name) {
    const head = /^[^{]*/.exec(whole)![0]
    return [{ ...one(node.name.text, 'class', head), members: node.members.flatMap(methodOf) }]
  }
  if (!is.isVariableStatement(node)) return []
  return node.declarationList.declarations.flatMap((variable) => {
    if (!is.isIdentifier(variable.name)) return []
    const text = variable.getText()
    // A value that fits on a line says more than its type.
    const isShort = text.length <= 100 && !text.includes('\n') && !text.includes('=>')
    return [
      one(
        variable.name.text,
        'constant',
        `const ${isShort ? text : headOf(variable, variable.initializer).replace(/\s*=\s*$/, '')}`,
      ),
    ]
  })
}

function methodOf(member: Node): PublicExport['members'] {
  const isMethod = is.isMethodDeclaration(member)
  const isProperty = is.isPropertyDeclaration(member)
  if ((!isMethod && !isProperty) || !is.isIdentifier(member.name)) return []
  if (/^override\b/.test(member.getText())) return []
  const body = isMethod ? member.body : member.initializer
  const declaration = headOf(member, body)
    .replace(/\s*=\s*$/, '')
    .replace(/^async /, '')
  return [{ name: member.name.text, doc: documentationOf(member), declaration: declaration.replace(/\n {2}/g, '\n') }]
}

/** The text of a declaration up to its body. */
function headOf(node: Node, body: Node | undefined): string {
  const text = node.getText()
  return (body ? text.slice(0, text.length - (node.end - body.getStart())) : text).trim()
}

/** The last JSDoc before a declaration. */
function documentationOf(node: Node): string {
  const before = node.getSourceFile().text.slice(node.pos, node.getStart())
  const comments = [...before.matchAll(/\/\*\*[\s\S]*?\*\//g)]
  const last = comments.at(-1)
  // What stands on top of a file is about the file, unless nothing but blanks is between.
  return last && /^\s*$/.test(before.slice(last.index + last[0].length)) && !/\*\/\n\n/.test(before.slice(last.index))
    ? words(last[0])
    : ''
}

/** The text of a JSDoc comment, its paragraphs on one line each. */
function words(comment: string): string {
  return comment
    .replace(/^\/\*\*|\*\/$/g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trim())
    .join('\n')
    .trim()
    .replace(/\n(?!\n)(?![-*] )/g, ' ')
    .replace(/ ?\n+ ?/g, '\n\n')
}

/** Exports and methods without documentation: `spec: isTag (src/spec/reference.ts)`. */
export function undocumented(doors: readonly PublicDoor[]): string[] {
  return doors.flatMap(({ room, exports }) =>
    exports.flatMap(({ name, doc, members, source }) => [
      ...(doc === '' ? [`${room}: ${name} (${source})`] : []),
      ...members.filter((one) => one.doc === '').map((one) => `${room}: ${name}.${one.name} (${source})`),
    ]),
  )
}
