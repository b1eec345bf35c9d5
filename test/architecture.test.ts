/** Holds the floors of ARCHITECTURE.md against the code: rooms import only what the table allows, and only front doors. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const source = resolve(dirname(fileURLToPath(import.meta.url)), '../src')

const below = {
  floor1: ['base', 'spec'],
  floor2: ['base', 'spec', 'format', 'host'],
  floor3: ['base', 'spec', 'format', 'host', 'blob', 'image'],
  floor4: ['base', 'spec', 'format', 'host', 'blob', 'image', 'transport', 'store', 'rootfs'],
}

/** Room -> rooms it may import. `registry` and `trust` may use only host's doors for files and for SQLite. */
const ROOMS: Record<string, string[]> = {
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
  engine: [...below.floor4, 'container', 'build', 'docker'],
  cli: ['base', 'spec', 'docker', 'engine'],
  registry: ['base', 'spec', 'format', 'host/file', 'host/sqlite', 'blob', 'image', 'transport'],
}

/** Starting the registry is a verb of the command line; it is loaded only when asked for. */
const EXCEPTIONS = new Set(['cli/verbs/registry.ts -> registry'])

function modules(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) return modules(path)
    return entry.name.endsWith('.ts') ? [path] : []
  })
}

const importPattern = /(?:\bfrom\s+|\bimport\s*\(\s*|\bimport\s+)'([^']+)'/g

const files = modules(source).map((path) => ({
  name: relative(source, path),
  room: relative(source, path).split('/')[0]!,
  imports: [...readFileSync(path, 'utf8').matchAll(importPattern)].map((match) => match[1]!),
  isTest: path.endsWith('.test.ts') || path.endsWith('/contract.ts'),
  path,
}))

test('the architecture test sees the code', () => {
  assert.ok(files.length >= MODULES_AT_LEAST, `only ${files.length} modules were found below src`)
  assert.deepEqual([...new Set(files.map((file) => file.room))].sort(), Object.keys(ROOMS).sort())
})

const MODULES_AT_LEAST = 400

test('rooms import only rooms below them, and only by their front doors', () => {
  const wrong: string[] = []
  for (const file of files.filter((one) => !one.isTest)) {
    for (const imported of file.imports) {
      if (imported.startsWith('#')) {
        const place = imported.slice(1)
        const room = place.split('/')[0]!
        const allowed = ROOMS[file.room]!
        if (EXCEPTIONS.has(`${file.name} -> ${room}`)) continue
        if (room === file.room) {
          // A sub-room may be imported by its own front door from within the room.
          if (!place.includes('/')) wrong.push(`${file.name} imports its own front door ${imported}`)
        } else if (!allowed.includes(room) && !allowed.includes(place)) wrong.push(`${file.name} imports ${imported}`)
      } else if (imported.startsWith('.')) {
        const target = relative(source, resolve(dirname(file.path), imported))
        if (target.split('/')[0] !== file.room) wrong.push(`${file.name} reaches into ${target}`)
      }
    }
  }
  assert.deepEqual(wrong, [])
})

test('base, spec and docker run in a browser: no node: import', () => {
  const wrong = files
    .filter((file) => !file.isTest && ['base', 'spec', 'docker'].includes(file.room))
    .flatMap((file) => file.imports.filter((name) => name.startsWith('node:')).map((name) => `${file.name}: ${name}`))
  assert.deepEqual(wrong, [])
})

test('system calls have one home: koffi is imported only in host', () => {
  const users = files.filter((file) => file.imports.includes('koffi')).map((file) => file.room)
  assert.deepEqual([...new Set(users)], users.length ? ['host'] : [])
})

test('process.env is read in two files only, so that nothing else depends on the surroundings', () => {
  const readers = files
    .filter((file) => !file.isTest && /process\.env\b/.test(readFileSync(file.path, 'utf8')))
    .map((file) => file.name)
    .filter((name) => !['cli/main.ts', 'engine/config.ts'].includes(name))
  assert.deepEqual(readers, [])
})

test('everything by URL goes through one client: no fetch of Node, no http request, undici in transport/http only', () => {
  const wrong = files
    .filter((file) => !file.isTest)
    .filter(({ path, imports, name, room }) => {
      if (imports.includes('undici') && !name.startsWith('transport/http/')) return true
      // The registry serves by node:http; nothing asks by it.
      if (imports.some((one) => /^(?:node:)?https?2?$/.test(one)) && room !== 'registry') return true
      return /(?<![.\w#])fetch\(|\bglobalThis\.fetch\b/.test(withoutComments(readFileSync(path, 'utf8')))
    })
    .map(({ name }) => name)
  assert.deepEqual(wrong, [])
})

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
}

test("files are read by host's byte reader, never by Node's readFile", () => {
  const readers = files
    .filter((file) => !file.isTest && /\breadFile(?:Sync)?\b/.test(readFileSync(file.path, 'utf8')))
    .map((file) => file.name)
    .sort()
  assert.deepEqual(readers, READ_FILE_ALLOWED)
})

/** The reader itself tells why; the others read bytes of regular files, or have a function of that name. */
const READ_FILE_ALLOWED = [
  'blob/file-blobs.ts',
  'cli/main.ts',
  'host/file/read-bytes.ts',
  'transport/layout/layout-source.ts',
]

test('tests and benchmarks read the files of the kernel by the same reader', () => {
  const root = resolve(source, '..')
  const wrong = ['src', 'test', 'bench', 'scripts']
    .flatMap((directory) => modules(join(root, directory)))
    .filter((path) => /\breadFile(?:Sync)?\(\s*['"`]\/(?:proc|sys)\b/.test(readFileSync(path, 'utf8')))
  assert.deepEqual(wrong, [])
})

test('what belongs to the whole process is set in bin before threads start, and by nothing else', () => {
  const wrong = files
    .filter((file) => !file.isTest)
    .filter((file) =>
      /\b(?:setFlagsFromString|process\.(?:umask|chdir)|setPriority|setGlobalDispatcher)\b/.test(
        readFileSync(file.path, 'utf8'),
      ),
    )
  assert.deepEqual(
    wrong.map((file) => file.name),
    [],
  )
})
