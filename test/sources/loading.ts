/**
 * Loading a module does nothing but define what it exports: the bundle (scripts/bundle.ts) loads each of its files when it is first used, so
 * nothing may depend on when that is. Only what is started as a program or thread acts.
 *
 * How to read a failure: the module, and the first words of the statement. Move it into a function that somebody calls.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseModules } from '../kit/module-graph.ts'
import { allModules } from '../kit/sources.ts'

test('modules do nothing when they are loaded, but programs and threads', () => {
  const started = new Set(
    allModules.flatMap(({ imports }) =>
      imports.flatMap((one) => (one.form === 'module URL' ? (one.target ?? []) : [])),
    ),
  )
  const acting = allModules.filter(({ name, acts }) => isProduct(name) && acts.length > 0 && !started.has(name))
  assert.deepEqual(
    acting.map(({ name, acts }) => `${name}: ${acts[0]}`),
    ['src/cli/main.ts: process.exitCode = 13'],
  )
})

const isProduct = (name: string) =>
  name.startsWith('src/') && !name.endsWith('.test.ts') && !/(^|[-/])contract\.ts$/.test(name)

test('a statement that acts is seen, whatever its form; one about a constant of the module is not', () => {
  const acts = (text: string) => parseModules({ 'src/a.ts': text })[0]!.acts
  const own = 'const list = new Set()\nlist.add(1)\nexport const size = list.size\nfunction f() { process.exit() }'
  assert.deepEqual(acts(own), [])
  for (const text of [
    'process.exit()',
    'await 1',
    'if (1) f()',
    'for (const a of b) f()',
    'try { f() } catch {}',
    'x = 1',
  ])
    assert.deepEqual(acts(`import './b.ts'\n${text}\nexport {}`), [text])
})
