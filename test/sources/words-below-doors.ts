/**
 * Texts below the doors name no verb and no flag of the command line: a library's user, the Engine API and a web page show
 * them too. What can be done about a failure is a fact (`next`), and src/cli/render/next-step.ts phrases it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VERBS } from '../../src/cli/verb-table.ts'
import { productModules } from '../kit/layering-rules.ts'
import { parseModules } from '../kit/module-graph.ts'
import { allModules } from '../kit/sources.ts'

/** Flags of Dockerfile instructions, which texts about a Dockerfile name. */
const DOCKERFILE_FLAGS = /--(?:mount|network|security|from|checksum|exclude|platform|retries|chown|chmod|parents)\b/g

/** Not for people: the seed of cache keys, which must not change. */
const EXEMPT = new Set(['bale build … …\n…'])

test('no text below the doors names a verb or a flag of the command line', async () => {
  const [verbs, flags] = await commandLine()
  const below = productModules(allModules).filter(({ name }) => !name.startsWith('src/cli/'))
  const texts = below.flatMap(({ name, strings }) => strings.map((text) => ({ name, text })))
  const found = texts.flatMap(({ name, text }) => {
    if (EXEMPT.has(text)) return []
    const words = name.startsWith('src/build/') ? text.replace(DOCKERFILE_FLAGS, '') : text
    return verbs.test(words) || flags.test(words) ? [`${name}: ${text}`] : []
  })
  assert.deepEqual(found, [])
})

test('the search finds verbs and flags in plain texts and in templates, but not in arguments of programs', async () => {
  const [verbs, flags] = await commandLine()
  const texts = parseModules({
    'src/a.ts': `
      import x from 'bale pull'
      a('see: bale ps -a', ['--root', 'x'], \`\${b} choose one with --platform \${c}\`)
      // bale login
    `,
  })[0]!.strings
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
