import assert from 'node:assert/strict'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readBytes } from '#host/file'
import { crateList, elfOf, goInline, goPointed } from '../../../../test/kit/elf.ts'
import { memoryFile } from '../../../../test/kit/memory-file.ts'
import { temporaryDirectory } from '../../../../test/kit/temporary.ts'
import { trivyPackages, withoutTrivy } from '../../../../test/kit/trivy.ts'
import { zipOf } from '../../../../test/kit/zip.ts'
import { executables, javaArchives } from './index.ts'

/** A real program of Go: the compiler that checks the types of this project. */
const GO_PROGRAM = fileURLToPath(
  new URL('../../../../node_modules/@typescript/typescript-linux-x64/lib/tsc', import.meta.url),
)

const MODULES = `path\texample.com/app
mod\texample.com/app\t(devel)\t
dep\texample.com/a\tv1.0.0\th1:x=
dep\texample.com/b\tv1.0.0
=>\texample.com/fork\tv1.0.1\th1:x=
dep\texample.com/c\tv2.0.0+incompatible
`

const properties = (artifact: string) => ({
  name: `META-INF/maven/org.acme/${artifact}/pom.properties`,
  data: `version=1.0\ngroupId=org.acme\nartifactId=${artifact}\n`,
})

const LIBRARY = zipOf([properties('library'), properties('merged'), { name: 'A.class', data: 'code' }])

const FILES: Readonly<Record<string, Buffer>> = {
  'opt/go-inline': elfOf({ sections: [padding(), { name: '.go.buildinfo', data: goInline('go1.22.3', MODULES) }] }),
  'opt/go-pointed': elfOf({ sections: [padding(), { name: '.go.buildinfo', data: goPointed('go1.17', MODULES) }] }),
  'opt/rust': elfOf({
    sections: [
      padding(),
      {
        name: '.dep-v0',
        data: crateList({
          packages: [
            { name: 'app', version: '0.1.0', source: 'local', root: true, dependencies: [1, 2] },
            { name: 'cc', version: '1.0.83', source: 'crates.io', kind: 'build' },
            { name: 'libc', version: '0.2.150', source: 'crates.io' },
          ],
        }),
      },
    ],
  }),
  'opt/lib/library-1.0.jar': LIBRARY,
  'opt/lib/no-name-1.0.jar': zipOf([{ name: 'A.class', data: 'code' }]),
  'opt/all.ear': zipOf([
    {
      name: 'web.war',
      data: zipOf([
        properties('web'),
        { name: 'WEB-INF/lib/library-1.0.jar', data: LIBRARY },
        { name: 'WEB-INF/lib/stored-1.0.jar', data: zipOf([properties('stored')]), stored: true },
      ]),
    },
  ]),
}

function padding() {
  return { name: '.text', data: Buffer.alloc(8192, 0x90) }
}

test('executables and archives have the packages that trivy finds, and those that only newer ones do', {
  skip: withoutTrivy,
}, async () => {
  await using root = await temporaryDirectory()
  for (const [path, bytes] of Object.entries(FILES)) {
    await mkdir(dirname(join(root.path, path)), { recursive: true })
    await writeFile(join(root.path, path), bytes, { mode: 0o755 })
  }
  await copyFile(GO_PROGRAM, join(root.path, 'opt/tsc'))

  const ours: string[] = []
  for (const path of [...Object.keys(FILES), 'opt/tsc']) {
    const file = memoryFile(path, await readBytes(join(root.path, path)), 0o755)
    const analyser = [javaArchives, executables].find((one) => one.wants(file))
    const { packages = [] } = await analyser!.analyse(file, () => undefined)
    for (const { type, name, version } of packages) ours.push(`${type} ${name}@${version}`)
  }
  const theirs = (await trivyPackages({ root: root.path })).map(
    ({ type, name, version }) => `${type} ${name}@${version}`,
  )

  const isNews = (one: string) =>
    /^golang (?:stdlib|example\.com\/app|github\.com\/microsoft\/typescript-go)@/.test(one)
  assert.ok(theirs.length > 15, theirs.join('\n'))
  assert.deepEqual(sorted(ours.filter((one) => !isNews(one))), sorted(theirs))
  assert.deepEqual(sorted(ours.filter(isNews).map((one) => one.split('@')[0]!)), [
    'golang example.com/app',
    'golang github.com/microsoft/typescript-go',
    'golang stdlib',
  ])
})

const sorted = (packages: readonly string[]) => [...new Set(packages)].sort()
