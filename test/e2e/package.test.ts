import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { test } from 'node:test'
import { execute } from '../kit/bale.ts'
import { temporaryDirectory } from '../kit/temporary.ts'

const project = resolve(import.meta.dirname, '../..')

test('the packed package works after npm install in an empty directory: command, library, rooms, types', {}, async () => {
  await using temporary = await temporaryDirectory('bale-pack')
  const directory = join(temporary.path, 'user')
  await mkdir(directory)
  // The Node that runs this test, first in PATH: npm picks releases by the Node it runs on.
  const env = {
    ...process.env,
    PATH: `${dirname(process.execPath)}:${process.env['PATH']}`,
    HOME: temporary.path,
  } as Record<string, string>
  const must = async (file: string, args: string[], cwd: string) => {
    const outcome = await execute(file, args, { cwd, env })
    assert.equal(outcome.code, 0, `${file} ${args.join(' ')}: ${outcome.stderr}${outcome.stdout}`)
    return outcome.stdout.trim()
  }
  await must('npm', ['pack', '--silent', '--pack-destination', temporary.path], project)
  const archive = (await readdir(temporary.path)).find((name) => /^bale-.*\.tgz$/.test(name))
  assert.ok(archive)
  const packed = (await must('tar', ['-tf', archive], temporary.path)).split('\n')
  const seccomp = 'dist/container/seccomp'
  for (const name of [
    ...['LICENSE', 'SECURITY.md', 'npm-shrinkwrap.json', `${seccomp}/moby-default-profile.json`],
    ...[`${seccomp}/LICENSE-moby-profile`, `${seccomp}/moby-default-profile.source.json`],
  ])
    assert.ok(packed.includes(`package/${name}`), name)
  await assertPinned(await must('tar', ['-xOf', archive, 'package/npm-shrinkwrap.json'], temporary.path))
  assert.equal(existsSync(join(project, 'npm-shrinkwrap.json')), false, 'it is of the package only')
  await writeFile(join(directory, 'package.json'), '{"name":"user","private":true,"type":"module"}')
  await must('npm', ['install', '--no-audit', '--no-fund', '--silent', join(temporary.path, archive)], directory)

  assert.match(await must('npx', ['bale', '--version'], directory), /^bale version \d+\.\d+\.\d+$/)
  assert.match(await must('npx', ['bale', '--help'], directory), /Usage: {2}bale/)
  const program = `
    import { createEngine, readConfig } from 'bale'
    import { parseReference, fullName } from 'bale/spec'
    import { packTar } from 'bale/format'
    import { createMemoryBlobs } from 'bale/blob'
    import { copyImage } from 'bale/image'
    import { openArchive } from 'bale/transport'
    import { createRegistry } from 'bale/registry'
    import { BaleError } from 'bale/base'
    const all = [createEngine, readConfig, packTar, createMemoryBlobs, copyImage, openArchive, createRegistry, BaleError]
    if (all.some((one) => typeof one !== 'function')) throw new Error('an export is missing')
    console.log(fullName(parseReference('debian:12')))
  `
  await writeFile(join(directory, 'use.js'), program)
  assert.equal(await must(process.execPath, ['use.js'], directory), 'docker.io/library/debian:12')
  // A program that requires the package has the same classes.
  const both = `
    import { createRequire } from 'node:module'
    import { BaleError } from 'bale/base'
    const required = createRequire(import.meta.url)('bale/base')
    console.log(required.BaleError === BaleError)
  `
  await writeFile(join(directory, 'both.js'), both)
  assert.equal(await must(process.execPath, ['both.js'], directory), 'true')
  // The same program as TypeScript: the declarations are found and fit.
  await writeFile(join(directory, 'use.ts'), program)
  await must(
    resolve(project, 'node_modules/.bin/tsc'),
    [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2024',
      '--lib',
      'es2024,esnext.disposable',
      '--skipLibCheck',
      '--types',
      'node',
      '--typeRoots',
      resolve(project, 'node_modules/@types'),
      'use.ts',
    ],
    directory,
  )
  // A layer is ingested by a worker that loads its format by URL: that must work from compiled code as well.
  if (process.getuid?.() === 0) {
    await must('tar', ['-cf', 'small.tar', 'use.js'], directory)
    const bale = ['--root', join(temporary.path, 'root')]
    await must('npx', ['bale', ...bale, 'import', 'small.tar', 'small:1'], directory)
    assert.match(await must('npx', ['bale', ...bale, 'images', '--format', '{{.Repository}}'], directory), /^small$/m)
  }
})

interface Lock {
  packages: Record<
    string,
    { version?: string; integrity?: string; dev?: boolean; dependencies?: Record<string, string> }
  >
}

/** Each dependency has one version, with its digest, and it is the one that is tested here. */
async function assertPinned(text: string): Promise<void> {
  const pinned = (JSON.parse(text) as Lock).packages
  const tested = (JSON.parse(await readFile(join(project, 'package-lock.json'), 'utf8')) as Lock).packages
  for (const name of Object.keys(pinned['']?.dependencies ?? {})) assert.ok(pinned[`node_modules/${name}`], name)
  for (const [name, one] of Object.entries(pinned).filter(([path]) => path !== '')) {
    assert.match(one.integrity ?? '', /^sha512-/, name)
    assert.deepEqual([one.dev, one.version, one.integrity], [undefined, tested[name]?.version, tested[name]?.integrity])
  }
  assert.ok(Object.keys(pinned).length > 1)
}
