import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { testBale } from '../kit/bale.ts'
import { publish, scriptedRegistry } from '../kit/scripted-registry.ts'
import { tarEntry, tarOf } from '../kit/tar.ts'
import { temporaryDirectory } from '../kit/temporary.ts'
import { cannotRun, prepared } from './prepared.ts'

const options = { skip: cannotRun, timeout: 180_000 }

test(
  'checks are printed as docker prints them, alone and beside a build; what they say can be made an error',
  options,
  async () => {
    await using place = await prepared()
    await using directory = await temporaryDirectory('bale-checks')
    const { bale } = place
    const write = (text: string) => writeFileSync(join(directory.path, 'Dockerfile'), text)
    const casing = "FromAsCasing: 'as' and 'FROM' keywords' casing do not match"

    write('FROM busybox:1 as base\nRUN exit 7\nFROM busybox:1\nENV name value\nRUN touch /x\n')
    for (const flags of [['--check'], ['--call=check'], ['--call', 'lint']]) {
      const checked = await bale.try(['build', ...flags, directory.path])
      assert.equal(checked.code, 1, `${flags}: ${checked.stderr}`)
      assert.match(
        checked.stdout,
        /^Check complete, 2 warnings have been found!\n\nWARNING: FromAsCasing - https:\/\/docs\.docker\.com\/go\/dockerfile\/rule\/from-as-casing\/\n'as' and 'FROM' keywords' casing do not match\nDockerfile:1\n-{20}\n {3}1 \| >>> FROM busybox:1 as base\n/,
      )
      assert.equal(checked.stderr, '', 'nothing was built')
    }
    const json = await bale.try(['build', '--call', 'check,format=json,ignorestatus=true', directory.path])
    assert.equal(json.code, 0, json.stderr)
    const { warnings } = JSON.parse(json.stdout)
    assert.deepEqual(
      warnings.map((one: { ruleName: string }) => one.ruleName),
      ['FromAsCasing', 'LegacyKeyValueFormat'],
    )

    const built = await bale.try(['build', directory.path])
    assert.equal(built.code, 0, built.stderr)
    assert.match(
      built.stderr,
      /\n 2 warnings found \(use bale build --check to expand\):\n - FromAsCasing: .* \(line 1\)\n - Legacy/,
    )
    assert.ok(built.stderr.includes(` - ${casing} (line 1)\n`))
    const quiet = await bale.try(['build', '-q', directory.path])
    assert.equal(quiet.stderr, '')

    const strict = await bale.try(['build', '--build-arg', 'BUILDKIT_DOCKERFILE_CHECK=error=true', directory.path])
    assert.equal(strict.code, 1)
    assert.match(strict.stderr, /lint violation found for rules: FromAsCasing, LegacyKeyValueFormat/)
    assert.doesNotMatch(strict.stderr, /touch/, 'before anything is executed')

    write('FROM busybox:1\nRUN true\n')
    const clean = await bale.try(['build', '--check', directory.path])
    assert.deepEqual([clean.code, clean.stdout], [0, 'Check complete, no warnings found.\n'], clean.stderr)

    write('FROM busybox:1 as base\nRNU true\n')
    const broken = await bale.try(['build', '--check', directory.path])
    assert.equal(broken.code, 1)
    assert.match(
      broken.stderr,
      /unknown instruction: RNU\nDockerfile:2\n-{20}\n {3}1 \| {5}FROM busybox:1 as base\n {3}2 \| >>> RNU true\n/,
    )
  },
)

test('for a base image not in the store, checks fetch only the configuration', options, async () => {
  await using registry = await scriptedRegistry()
  await using bale = await testBale()
  await using directory = await temporaryDirectory('bale-checks')
  const check = (name: string) => {
    writeFileSync(join(directory.path, 'Dockerfile'), `FROM ${name}\nCMD x\nRUN echo $FROM_BASE\nLABEL a=$FROM_BAES\n`)
    return bale.try(['build', '--call', 'check,format=json', directory.path])
  }
  const layer = await tarOf([tarEntry('hello')])
  publish(registry, '1', { tars: [layer], config: (config) => Object.assign(config, { config: IN_BASE }) })
  const checked = await check(`${registry.host}/base:1`)
  const { warnings } = JSON.parse(checked.stdout)
  // A shell of the base is as good as one of the file, and its variables are known.
  assert.deepEqual(
    warnings.map((one: { detail: string }) => one.detail),
    ["Usage of undefined variable '$FROM_BAES' (did you mean $FROM_BASE?)"],
    checked.stderr,
  )
  const fetched = registry.requests.filter(({ url }) => url.includes('/blobs/'))
  assert.equal(fetched.length, 1, 'no layer')
  assert.equal(await bale.run(['images', '-q']), '')

  const missing = await check(`${registry.host}/none:2`)
  assert.equal(missing.code, 1)
  const { buildError } = JSON.parse(missing.stdout)
  assert.deepEqual(buildError.location, { ranges: [{ start: { line: 1 }, end: { line: 1 } }] })
})

const IN_BASE = { Env: ['FROM_BASE=1'], Shell: ['/bin/sh', '-ec'] }
