/**
 * Holds the floors of ARCHITECTURE.md against the code: rooms import only what the table allows, by front doors; inside a
 * room, directories with an `index.ts` are entered by it alone, and neither files nor directories go round in circles.
 *
 * How to read a failure. Each difference is a sentence or an arrow (`importing module -> imported module`), with paths
 * from `src`. Move the part that both need below both, or import the door instead. A circle is reported by its members;
 * its arrows are found by reading their imports.
 * The rules are in test/kit/layering-rules.ts, and test/layering-rules.test.ts shows that each of them can fail.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  directoryCircles,
  fileCircles,
  importsAgainstTheTable,
  importsAroundInnerDoors,
  inSource,
  type Layering,
  loadedEagerly,
  packagesLoadedWith,
  productModules,
  roomOf,
  undeclaredModuleUrls,
  usersOutside,
} from '../kit/layering-rules.ts'
import { allModules } from '../kit/sources.ts'

const below = {
  floor1: ['base', 'spec'],
  floor2: ['base', 'spec', 'format', 'host'],
  floor3: ['base', 'spec', 'format', 'host', 'blob', 'image'],
  floor4: ['base', 'spec', 'format', 'host', 'blob', 'image', 'transport', 'store', 'rootfs'],
}

/** Room -> rooms it may import. `registry` uses only host's doors for files and for SQLite. */
const ROOMS: Layering['rooms'] = {
  base: [],
  spec: ['base'],
  format: below.floor1,
  docker: below.floor1,
  host: ['base'],
  blob: ['base', 'spec', 'host'],
  image: ['base', 'spec', 'format', 'blob'],
  transport: below.floor3,
  store: below.floor3,
  rootfs: [...below.floor3, 'store'],
  container: [...below.floor4, 'docker'],
  build: [...below.floor4, 'container', 'docker'],
  trust: ['base', 'spec', 'format', 'host/file', 'host/sqlite', 'blob', 'image', 'transport'],
  engine: [...below.floor4, 'container', 'build', 'docker', 'trust'],
  cli: ['base', 'spec', 'docker', 'engine'],
  registry: ['base', 'spec', 'format', 'docker', 'host/file', 'host/sqlite', 'blob', 'image', 'transport', 'trust'],
}

const LAYERING: Layering = {
  rooms: ROOMS,
  /** Starting the registry is a verb of the command line; it is loaded only when asked for. */
  exceptions: ['cli/verbs/registry.ts -> registry'],
  byModuleUrl: [],
}

const modules = productModules(allModules)

test('the architecture test sees the code', () => {
  assert.ok(modules.length >= MODULES_AT_LEAST, `only ${modules.length} modules were found below src`)
  assert.deepEqual([...new Set(modules.map((one) => roomOf(one.name)))].sort(), Object.keys(ROOMS).sort())
})

const MODULES_AT_LEAST = 400

test('rooms import only rooms below them, and only by their front doors', () => {
  assert.deepEqual(importsAgainstTheTable(modules, LAYERING), [])
})

test('a module that imports by a computed name says which room comes in that way', () => {
  assert.deepEqual(undeclaredModuleUrls(modules, LAYERING), [])
})

test('a directory of a room that has a door is imported by the door alone', () => {
  assert.deepEqual(importsAroundInnerDoors(modules), [])
})

test('no circle of files, by imports of values or types or by lazy imports', () => {
  assert.deepEqual(
    fileCircles(modules, () => true),
    [],
  )
})

test('no circle of directories inside a room', () => {
  assert.deepEqual(directoryCircles(modules), [])
})

test('base, spec and docker run in a browser: no node: import', () => {
  const wrong = modules
    .filter((one) => ['base', 'spec', 'docker'].includes(roomOf(one.name)))
    .flatMap(({ name, imports }) =>
      imports.filter((one) => one.specifier.startsWith('node:')).map((one) => `${inSource(name)}: ${one.specifier}`),
    )
  assert.deepEqual(wrong, [])
})

test('system calls have one home: koffi is loaded in host alone', () => {
  assert.deepEqual(usersOutside(modules, 'koffi', 'host'), [])
})

/** So host/file, and with it the registry, loads native code only when the first lock is taken. */
test('koffi is loaded at the first system call, not with the modules that may make one', () => {
  assert.deepEqual(loadedEagerly(modules, 'koffi'), [])
})

test('a registry on files and SQLite starts without the clients of databases, buckets and YAML (80 ms)', () => {
  assert.deepEqual(packagesLoadedWith(modules, 'src/registry/index.ts'), [])
})

test('process.env is read by the configuration alone, so that nothing else depends on the surroundings', () => {
  assert.deepEqual(namesWith(/\bprocess\.env\b/), ['engine/context/config.ts'])
})

function namesWith(pattern: RegExp): string[] {
  return modules.filter((one) => pattern.test(one.text)).map((one) => inSource(one.name))
}

test('what the registry forbids is judged in one room', () => {
  const judged = namesWith(/new BaleError\(\s*'(?:TAG_IMMUTABLE|POLICY_VIOLATED|QUOTA_EXCEEDED)'|\bROLES\.indexOf\b/)
  assert.deepEqual(
    judged.filter((name) => !name.startsWith('registry/decide/')),
    [],
  )
  assert.ok(judged.length >= 4, 'the pattern finds the judgements')
})

test('everything by URL goes through one client: no fetch of Node, no http request, undici in transport/http only', () => {
  const wrong = modules.filter(({ text, imports, name }) => {
    const specifiers = imports.map((one) => one.specifier)
    if (specifiers.includes('undici') && !name.startsWith('src/transport/http/')) return true
    // The registry serves by node:http; nothing asks by it.
    if (specifiers.some((one) => /^(?:node:)?https?2?$/.test(one)) && roomOf(name) !== 'registry') return true
    return /(?<![.\w#])fetch\(|\bglobalThis\.fetch\b/.test(withoutComments(text))
  })
  assert.deepEqual(
    wrong.map(({ name }) => name),
    [],
  )
})

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
}

test("files are read by host's byte reader, never by Node's readFile", () => {
  assert.deepEqual(namesWith(/\breadFile(?:Sync)?\b/).sort(), READ_FILE_ALLOWED)
})

/** The reader itself gives the reason; the others read bytes of regular files, or have a function of that name. */
const READ_FILE_ALLOWED = [
  'blob/file-blobs.ts',
  'engine/version/index.ts',
  'host/file/read-bytes.ts',
  'transport/layout/layout-source.ts',
]

test('tests and benchmarks read the files of the kernel by the same reader', () => {
  const wrong = allModules.filter(({ text }) => /\breadFile(?:Sync)?\(\s*['"`]\/(?:proc|sys)\b/.test(text))
  assert.deepEqual(
    wrong.map(({ name }) => name),
    [],
  )
})

test('what belongs to the whole process is set in bin before threads start, and by nothing else', () => {
  const pattern = /\b(?:setFlagsFromString|process\.(?:umask|chdir)|setPriority|setGlobalDispatcher)\b/
  assert.deepEqual(namesWith(pattern), [])
})

test('a constant that is asked by any word is a table, in which words that every object inherits are not found', () => {
  assert.deepEqual(namesWith(/^(?:export )?const \w+: (?:Readonly<)?(?:Partial<)?Record<string,[^=]*= \{/m), [])
})
