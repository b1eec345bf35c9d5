/**
 * Texts below the doors name no verb and no flag of the command line: a library's user, the Engine API and a web page show
 * them too. What can be done about a failure is a fact (`next`), and src/cli/render/next-step.ts phrases it.
 */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'
import type { Node } from 'typescript/unstable/ast'
import * as is from 'typescript/unstable/ast/is'
import { VERBS } from '../src/cli/verb-table.ts'
import { eachTree } from './kit/module-graph.ts'

const root = resolve(import.meta.dirname, '..')

/** Flags of Dockerfile instructions, which texts about a Dockerfile name. */
const DOCKERFILE_FLAGS = /--(?:mount|network|security|from|checksum|exclude|platform|retries|chown|chmod|parents)\b/g

/** Not for people: the seed of cache keys, which must not change. */
const EXEMPT = new Set(['bale build … …\n…'])

test('no text below the doors names a verb or a flag of the command line', async () => {
  const [verbs, flags] = await commandLine()
  const found = textsOf(sources()).flatMap(({ file, text }) => {
    if (EXEMPT.has(text)) return []
    const words = file.startsWith('src/build/') ? text.replace(DOCKERFILE_FLAGS, '') : text
    return verbs.test(words) || flags.test(words) ? [`${file}: ${text}`] : []
  })
  assert.deepEqual(found, [])
})

test('the search finds verbs and flags in plain texts and in templates, but not in arguments of programs', async () => {
  const [verbs, flags] = await commandLine()
  const texts = textsOf({
    'src/a.ts': `
      import x from 'bale pull'
      a('see: bale ps -a', ['--root', 'x'], \`\${b} choose one with --platform \${c}\`)
      // bale login
    `,
  }).map(({ text }) => text)
  assert.deepEqual(texts, ['see: bale ps -a', '--root', 'x', '… choose one with --platform …'])
  const named = texts.filter((text) => verbs.test(text) || flags.test(text))
  assert.deepEqual(named, ['see: bale ps -a', '… choose one with --platform …'])
})

/** What finds `bale pull` and, as one word among others, `--platform`. */
async function commandLine(): Promise<[verbs: RegExp, flags: RegExp]> {
  const firstWords = new Set(VERBS.flatMap(({ names }) => names.map((name) => name.split(' ')[0]!)))
  const loaded = await Promise.all(VERBS.map(async (entry) => (await entry.load()).verb))
  const flags = new Set(loaded.flatMap(({ options }) => options.flatMap((one) => one.flags.match(/--[a-z-]+/g) ?? [])))
  const either = [...flags, '--root', '--run', '--snapshotter', '--runtime'].join('|')
  // A program's argument is a flag alone, or with its value; a text has other words around it.
  const flag = `(?:${either})(?![a-z-])`
  return [new RegExp(`\\bbale (?:${[...firstWords].join('|')})\\b`), new RegExp(`${flag}.* |[^-\\w]${flag}`)]
}

function sources(): Record<string, string> {
  const names = globSync('src/**/*.ts', { cwd: root }).filter(
    (name) => !name.startsWith('src/cli/') && !/(?:\.test|contract)\.ts$/.test(name),
  )
  return Object.fromEntries(names.map((name) => [name, readFileSync(resolve(root, name), 'utf8')]))
}

/** All string literals and templates (with `…` for what is filled in), except those that name modules. */
function textsOf(files: Record<string, string>): { file: string; text: string }[] {
  return eachTree(files, (file, tree) => {
    const texts: { file: string; text: string }[] = []
    const look = (node: Node): void => {
      if (is.isImportDeclaration(node) || is.isExportDeclaration(node)) return
      if (is.isStringLiteralLikeNode(node)) texts.push({ file, text: node.text })
      else if (is.isTemplateExpression(node))
        texts.push({
          file,
          text: [node.head, ...node.templateSpans.map((span) => span.literal)].map(({ text }) => text).join('…'),
        })
      node.forEachChild((child) => look(child))
    }
    for (const statement of tree.statements) look(statement)
    return texts
  }).flat()
}
