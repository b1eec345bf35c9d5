/** Builds from OCI layouts, builds at the same time, and what builds that were killed leave. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { readTextSync } from '#host/file'
import { execute } from '../kit/bale.ts'
import { tarEntry, tarOf } from '../kit/tar.ts'
import { cannotRun, type Prepared, prepared } from './prepared.ts'

const options = { skip: cannotRun }

test(
  'an OCI layout is a context: a base, the source of a COPY and of a mount; it leaves no image',
  options,
  async () => {
    await using place = await prepared()
    const { bale } = place
    const layout = join(bale.directory, 'layout')
    await bale.run(['save', '-o', join(bale.directory, 'saved.tar'), 'busybox:1'])
    mkdirSync(layout)
    assert.equal((await execute('tar', ['-xf', join(bale.directory, 'saved.tar'), '-C', layout])).code, 0)
    await bale.run(['rmi', 'busybox:1'])
    const directory = join(bale.directory, 'context')
    mkdirSync(directory)
    writeFileSync(
      join(directory, 'Dockerfile'),
      `FROM base
COPY --from=other /etc/passwd /copied
RUN --mount=from=other,target=/o cmp /o/etc/passwd /copied`,
    )
    const build = (base: string, ...words: string[]) => {
      const contexts = [
        '--build-context',
        `base=oci-layout://${base}`,
        '--build-context',
        `other=oci-layout://${layout}`,
      ]
      return bale.try(['build', '--network', 'none', '--no-cache', ...contexts, ...words, directory], {
        cwd: bale.directory,
      })
    }
    const index = JSON.parse(readTextSync(join(layout, 'index.json')))
    const [{ digest }] = index.manifests
    for (const base of [layout, `${layout}:1`, 'layout:1', `${layout}@${digest}`, `${layout}:1@${digest}`]) {
      const built = await build(base, '-t', 'built')
      assert.equal(built.code, 0, `${base}: ${built.stderr}`)
    }
    await bale.run(['image', 'prune', '-f'])
    assert.equal(await bale.run(['images', '-a', '--format', '{{.Repository}}']), 'built')
    for (const [base, said] of [
      [`${layout}:none`, /Dockerfile:1.*holds no image "none"/],
      [`${layout}@sha256:${'0'.repeat(64)}`, /holds no image/],
      [join(bale.directory, 'nowhere'), /Dockerfile:1.*not an OCI image layout/],
    ] as const) {
      const refused = await build(base)
      assert.equal(refused.code, 1)
      assert.match(refused.stderr, said)
    }
  },
)

test('builds of one tag at the same time all succeed; the tag is one of them', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const directory = join(bale.directory, 'context')
  mkdirSync(directory)
  writeFileSync(join(directory, 'Dockerfile'), 'FROM busybox:1\nCOPY Dockerfile /\nRUN cat /proc/uptime > /made\n')
  const words = ['build', '-q', '--network', 'none', '--no-cache', '-t', 'same', directory]
  const ids = await Promise.all([1, 2, 3].map(() => bale.run(words)))
  assert.ok(ids.includes(await bale.run(['images', '-q', '--no-trunc', 'same'])))
  assert.match(await bale.run(['run', '--rm', '--network', 'none', 'same', 'cat', '/made']), /^\d/)
  assert.match(await bale.run(['system', 'check']), /no damage/i)
})

const CANARY = 'canary-of-a-killed-build'
const SLEEP = 'sleep 9871'

/** Kills a build with SIGKILL in the middle of a step that has the files of the context mounted. */
async function killedBuild({ bale }: Prepared): Promise<void> {
  const dockerfile = `FROM busybox:1\nRUN --mount=target=/context --mount=type=secret,id=s echo begun; ${SLEEP}\n`
  const context = await tarOf([
    { entry: tarEntry('Dockerfile'), text: dockerfile },
    { entry: tarEntry('file'), text: CANARY.repeat(1000) },
  ])
  const words = ['build', '--network', 'none', '--progress', 'plain', '--secret', 'id=s,env=SECRET', '-']
  const child = spawn(resolve(import.meta.dirname, '../../bin/bale'), words, {
    env: { ...bale.environment, SECRET: CANARY },
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  child.stdin.end(context)
  let seen = ''
  const signal = await new Promise((done) => {
    child.stderr.on('data', (chunk: Buffer) => {
      seen += chunk.toString()
      if (/#2 [\d.]+ begun/.test(seen)) child.kill('SIGKILL')
    })
    child.on('close', (_, by) => done(by))
  })
  assert.equal(signal, 'SIGKILL', seen)
  assert.notEqual(await leftBehind(placesIn(bale.directory)), '', 'the kill came too late to leave anything')
}

const placesIn = (directory: string) => ({ root: join(directory, 'root'), run: join(directory, 'run') })

/** Files with the canary, mounts, processes and scratch directories. */
async function leftBehind({ root, run }: { root: string; run: string }): Promise<string> {
  const files = await execute('/bin/grep', ['-rlaF', CANARY, root, run])
  const mounts = readTextSync('/proc/self/mountinfo')
    .split('\n')
    .filter((line) => line.includes(`${run}/rootfs/build-`) || line.includes(`${run}/builds/`))
  const processes = (await execute('/bin/ps', ['-eo', 'args'])).stdout.split('\n').filter((line) => line === SLEEP)
  const scratch = readdirSync(join(root, 'tmp'))
  return [...files.stdout.split('\n'), ...mounts, ...processes, ...scratch].filter(Boolean).join('\n')
}

for (const [name, words] of [
  ['the next build', ['build', '-q', '--network', 'none', '-']],
  ['builder prune', ['builder', 'prune', '-f']],
  ['system prune', ['system', 'prune', '-f']],
] satisfies [string, string[]][]) {
  test(`what a killed build left, its processes and the files of its context, ${name} removes`, options, async () => {
    await using place = await prepared()
    const { bale } = place
    await killedBuild(place)
    const said = await bale.run(words, { input: words.includes('-') ? 'FROM busybox:1\nRUN true\n' : '' })
    assert.equal(await leftBehind(placesIn(bale.directory)), '')
    if (words.includes('prune')) assert.doesNotMatch(said, /reclaimed space: 0B/)
    assert.match(await bale.run(['system', 'check']), /no damage/i)
  })
}
