/**
 * No dead exports: what `src` exports, another module of the product imports, or a public door of package.json names it.
 *
 * How to read a failure: `store/layers.ts: openLayer` is exported and imported by nobody else. Take `export` away (or the
 * line of the door), or delete it when its own module does not use it either. `(tests only)`: the product does not use it.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { parseModules } from '../kit/module-graph.ts'
import { allModules, root } from '../kit/sources.ts'
import { unusedExports } from '../kit/unused-exports.ts'

/** Nobody imports these types, but the published declarations name them: TypeScript finds them by their exports. */
const IN_DECLARATIONS: Readonly<Record<string, readonly string[]>> = {
  build: ['CopyCommand', 'HealthcheckCommand', 'OnbuildCommand', 'RunCommand'],
  container: [
    ...['Attached', 'ContainerPaths', 'CopyOptions', 'CreateVolumeOptions'],
    ...['SeenExec', 'StartOptions', 'WriteOptions'],
  ],
}

function isInDeclarations(line: string): boolean {
  const [, room = '', name = ''] = /^(\w+)\/.*: (\w+)/.exec(line) ?? []
  return IN_DECLARATIONS[room]?.includes(name) ?? false
}

test('every export of src is used by the product', () => {
  const found = unusedExports(allModules, publicDoors()).filter(
    (one) => !one.type || (!isInDeclarations(one.line) && !one.line.endsWith('(tests only)')),
  )
  assert.deepEqual(
    found.map((one) => one.line),
    [],
  )
})

/** Front doors that package.json publishes, as modules of `src`. */
function publicDoors(): string[] {
  const { exports } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8')) as {
    exports: Record<string, { types?: string } | string>
  }
  return Object.values(exports).flatMap((one) =>
    typeof one === 'object' && one.types ? [one.types.replace('./dist/', 'src/').replace('.d.ts', '.ts')] : [],
  )
}

test('an unused export is found: of a module, of a door, used by tests alone; a lazy import and a public door use', () => {
  const modules = parseModules({
    'src/low/index.ts': `
      export { used, forTests, nobody as unknown } from './a.ts'
      export type { Shape } from './a.ts'`,
    'src/low/a.ts': `
      export const used = 1
      export const forTests = 2
      export const nobody = 3
      export const lazily = 4
      export const ownTest = 5
      export interface Shape { value: typeof ownTest }
      export interface Unused { value: number }`,
    'src/low/a.test.ts': `import { forTests } from './index.ts'\nimport { ownTest } from './a.ts'`,
    'src/low/door.ts': `export { published } from './published.ts'`,
    'src/low/published.ts': 'export const published = 6',
    'src/high/b.ts': `import { type Shape, used } from '#low'\nconst table = [() => import('./verb.ts')]`,
    'src/high/verb.ts': 'export const verb = 7',
    'src/low/c.ts': `const { lazily } = await import('./a.ts')`,
  })
  assert.deepEqual(
    unusedExports(modules, ['src/low/door.ts']).map((one) => (one.type ? `type ${one.line}` : one.line)),
    [
      'low/index.ts: forTests (tests only)',
      'low/index.ts: unknown',
      'low/a.ts: forTests (tests only)',
      'low/a.ts: nobody',
      'type low/a.ts: Unused',
    ],
  )
})
