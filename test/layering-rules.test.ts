/** Each rule of the architecture fails on a small tree that breaks it: none is green because it sees nothing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  directoryCircles,
  fileCircles,
  importsAgainstTheTable,
  importsAroundInnerDoors,
  type Layering,
  loadedEagerly,
  loadsAtOnce,
  packagesLoadedWith,
  productModules,
  undeclaredModuleUrls,
  usersOutside,
} from './kit/layering-rules.ts'
import { parseModules } from './kit/module-graph.ts'

const layering: Layering = { rooms: { low: [], high: ['low'] }, exceptions: [], byModuleUrl: [] }

test('every form of import is seen, with its names', () => {
  const [module] = parseModules({
    'src/high/a.ts': `
      import { one as uno, type Two } from '#low'
      import type { Three } from './b.ts'
      import * as four from 'node:fs'
      export { five } from './b.ts'
      export * from './c.ts'
      // import { no } from './comment.ts'
      const text = "import { no } from './text.ts'"
      export async function f(url: string): Promise<typeof import('./type.ts')> {
        const { six } = await import('./b.ts')
        await import(url)
        new Worker(new URL('./b.ts', import.meta.url))
        return siblingModule(import.meta.url, './c')
      }
      const load = createRequire(import.meta.url)
      load('koffi')`,
    'src/high/b.ts': '',
    'src/high/c.ts': '',
    'src/low/index.ts': '',
  })
  const { imports, computedImports } = module!
  assert.deepEqual(
    imports.map((one) => `${one.form} ${one.target ?? one.specifier}${one.typeOnly ? ' (type)' : ''}`),
    [
      'import src/low/index.ts',
      'import src/high/b.ts (type)',
      'import node:fs',
      'export src/high/b.ts',
      'export src/high/c.ts',
      'type query ./type.ts (type)',
      'dynamic src/high/b.ts',
      'module URL src/high/b.ts',
      'module URL src/high/c.ts',
      'require koffi',
    ],
  )
  assert.equal(computedImports, 1)
  assert.deepEqual(imports[0]!.names, ['one', 'Two'])
  assert.equal(imports[2]!.names, undefined)
  assert.ok(imports.find((one) => one.form === 'dynamic')!.names!.includes('six'))
  assert.deepEqual(
    module!.exports.map((one) => one.name),
    ['five', '*', 'f'],
  )
})

test('a room that imports a room above it, its own door or the inside of another breaks the table', () => {
  const modules = parseModules({
    'src/low/a.ts': `import { high } from '#high'`,
    'src/low/lazy.ts': `export const high = () => import('#high')`,
    'src/low/own.ts': `import { a } from '#low'`,
    'src/low/inside.ts': `import { c } from '../high/c.ts'`,
    'src/high/c.ts': `import { a } from '#low'\nexport const c = a`,
  })
  assert.deepEqual(importsAgainstTheTable(modules, layering), [
    'low/a.ts imports #high',
    'low/lazy.ts imports #high',
    'low/own.ts imports its own front door #low',
    'low/inside.ts reaches into high/c.ts',
  ])
  const exceptions = ['low/a.ts -> high', 'low/lazy.ts -> high']
  assert.equal(importsAgainstTheTable(modules, { ...layering, exceptions }).length, 2)
})

test('koffi is found outside host in each form, and where it is loaded with the module', () => {
  const modules = parseModules({
    'src/host/lazy.ts': `let koffi\nexport const load = () => (koffi ??= createRequire(import.meta.url)('koffi'))`,
    'src/host/eager.ts': `const koffi = createRequire(import.meta.url)('koffi')`,
    'src/container/a.ts': `import koffi from 'koffi'`,
    'src/container/b.ts': `export const load = () => import('koffi')`,
    'src/container/c.ts': `const require = createRequire(import.meta.url)\nexport const load = () => require('koffi')`,
  })
  assert.deepEqual(usersOutside(modules, 'koffi', 'host'), ['container/a.ts', 'container/b.ts', 'container/c.ts'])
  assert.deepEqual(loadedEagerly(modules, 'koffi'), ['host/eager.ts', 'container/a.ts'])
})

test('packages that come with a module are found through what it imports, but not behind lazy imports and types', () => {
  const modules = parseModules({
    'src/low/index.ts': `export { a } from './a.ts'\nimport type { T } from 'types-only'\nimport { x } from 'node:fs'`,
    'src/low/a.ts': `import one from 'one'\nexport const load = () => import('./b.ts')`,
    'src/low/b.ts': `import two from 'two'`,
  })
  assert.deepEqual(packagesLoadedWith(modules, 'src/low/index.ts'), ['one'])
})

test('a computed import is declared, and a declaration without one is taken back', () => {
  const modules = parseModules({ 'src/low/a.ts': 'export const load = (job: Job) => import(job.module)' })
  assert.deepEqual(undeclaredModuleUrls(modules, layering), ['low/a.ts imports by a computed name'])
  const byModuleUrl = ['low/a.ts -> high', 'low/b.ts -> high']
  assert.deepEqual(undeclaredModuleUrls(modules, { ...layering, byModuleUrl }), [
    'low/b.ts is declared and imports by no such name',
  ])
})

test('an inner door is found to be walked around, at every depth; what has no door is open', () => {
  const modules = parseModules({
    'src/low/a.ts': `import './sub/index.ts'\nimport { b } from './sub/b.ts'\nimport './open/d.ts'`,
    'src/low/sub/index.ts': `export { b } from './b.ts'`,
    'src/low/sub/b.ts': `import { c } from './deep/c.ts'`,
    'src/low/sub/deep/index.ts': '',
    'src/low/sub/deep/c.ts': `import '../b.ts'`,
    'src/low/open/d.ts': '',
  })
  assert.deepEqual(importsAroundInnerDoors(modules), ['low/a.ts -> low/sub/b.ts', 'low/sub/b.ts -> low/sub/deep/c.ts'])
})

test('circles of files are found by their members, with and without imports of types', () => {
  const modules = parseModules({
    'src/low/a.ts': `import { b } from './b.ts'`,
    'src/low/b.ts': `import { c } from './c.ts'`,
    'src/low/c.ts': `import { a } from './a.ts'`,
    'src/low/d.ts': `import type { E } from './e.ts'\nimport { a } from './a.ts'`,
    'src/low/e.ts': `export const load = () => import('./d.ts')`,
  })
  assert.deepEqual(fileCircles(modules, loadsAtOnce), [['low/a.ts', 'low/b.ts', 'low/c.ts']])
  assert.deepEqual(
    fileCircles(modules, () => true),
    [
      ['low/a.ts', 'low/b.ts', 'low/c.ts'],
      ['low/d.ts', 'low/e.ts'],
    ],
  )
})

test('circles of directories are found; a door may name what is below it', () => {
  const modules = parseModules({
    'src/low/index.ts': `export { a } from './one/a.ts'`,
    'src/low/one/a.ts': `import { b } from '../two/b.ts'`,
    'src/low/two/b.ts': `import type { A } from '../one/c.ts'`,
    'src/low/one/c.ts': '',
    'src/low/three/d.ts': `import '../e.ts'`,
    'src/low/e.ts': '',
  })
  assert.deepEqual(directoryCircles(modules), [['low/one', 'low/two']])
})

test('tests and contract suites are no part of the product', () => {
  const modules = parseModules({
    'src/low/a.ts': '',
    'src/low/a.test.ts': '',
    'src/low/contract.ts': '',
    'test/x.ts': '',
  })
  assert.deepEqual(
    productModules(modules).map((one) => one.name),
    ['src/low/a.ts'],
  )
})
