/** Quotas, content policies, promotion and renames as they are typed. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { testBale } from '../../../test/kit/bale.ts'
import { startRegistry } from '../../../test/kit/registry-client.ts'

/** A served registry, and the verbs on its directory. */
async function typedRegistry() {
  await using opened = new AsyncDisposableStack()
  const bale = opened.use(await testBale())
  const served = opened.use(await startRegistry({ directory: join(bale.directory, 'images') }))
  const words = (command: string, ...more: string[]) => [
    'registry',
    ...command.split(' '),
    '--root',
    served.directory,
    ...more,
  ]
  const parts = opened.move()
  return {
    served,
    registry: (command: string, ...more: string[]) => bale.run(words(command, ...more)),
    attempt: (command: string, ...more: string[]) => bale.try(words(command, ...more)),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

test('quotas are set, shown with what is used of them, and removed, while the registry is served', async () => {
  await using typed = await typedRegistry()
  const { registry, served } = typed
  assert.equal(await registry('quota set', 'team/**', '--bytes', '4k', '--repositories', '10'), 'team/**')
  assert.equal(await registry('quota set', 'team/web', '--tags', '2'), 'team/web')
  await served.blob('team/web', 'x'.repeat(1024))
  assert.equal((await served.image('team/web', 'one', { tag: '1' })).answer.status, 201)
  const [head, all, one] = (await registry('quota ls')).split('\n')
  assert.match(head!, /^REPOSITORIES +BYTES +TAGS +NUMBER$/)
  assert.match(all!, /^team\/\*\* +1\.\d+KiB of 4KiB \(\d\d%\) +1 +1 of 10 \(10%\)$/)
  assert.match(one!, /^team\/web +1\.\d+KiB +1 of 2 \(50%\) +1$/)
  const large = 'y'.repeat(4096)
  await assert.rejects(served.blob('team/web', large), /403 .*the quota of team\/\*\* is 4KiB/)
  assert.equal(await registry('quota rm', 'team/**'), 'team/**')
  await served.blob('team/web', large)
  assert.match(await registry('audit', '--action', 'quota.*'), /quota\.remove +team\/\*\*/)
})

test('policies about content are made and listed, images are promoted as they allow', async () => {
  await using typed = await typedRegistry()
  const { registry, attempt, served } = typed
  await served.image('team/web', 'one', { tag: 'v1' })
  await served.image('team/web', 'about', { tag: 'v2', artifactType: 'text/about' })
  assert.equal(await registry('policy types', 'prod/**', '--block', 'text/*'), '1')
  assert.equal(await registry('policy base', 'prod/**', '--allow', 'team/web:v1', '--allow', 'team/web:v2'), '2')
  assert.equal(
    await registry('policy ls'),
    [
      'ID        KIND      REPOSITORIES   RULE',
      '1         types     prod/**        no text/*',
      '2         base      prod/**        team/web:v1, team/web:v2 alone',
    ].join('\n'),
  )
  const tried = await attempt('promote', '--dry-run', 'team/*:v*', 'prod/*')
  assert.equal(tried.code, 1)
  assert.match(tried.stdout, /^team\/web:v1 -> prod\/web:v1: sha256:\S+, \d+B more$/m)
  assert.match(
    tried.stdout,
    /^team\/web:v2 -> prod\/web:v2: refused: policy 1 of prod\/\*\* blocks the media type text\/about$/m,
  )
  assert.equal((await served.request('GET', '/v2/prod/web/manifests/v1')).status, 404)
  assert.match(await registry('promote', 'team/web:v1', 'prod/web:stable', '--referrers'), /prod\/web:stable: sha256:/)
  assert.match(await registry('promote', 'team/web:v1', 'prod/web:stable'), /was there already$/)
  assert.equal((await served.request('GET', '/v2/prod/web/manifests/stable')).status, 200)
})

test('a repository is renamed, its former name shown and ended', async () => {
  await using typed = await typedRegistry()
  const { registry, served } = typed
  await served.image('acme/web', 'one', { tag: '1' })
  assert.equal(await registry('repo rename', '--redirect', '30d', 'acme/web', 'acme/site'), 'acme/site')
  assert.equal((await served.request('GET', '/v2/acme/web/manifests/1')).status, 200)
  assert.match(await registry('repo redirects'), /^NAME +NOW +UNTIL\nacme\/web +acme\/site +\d{4}-\S+$/)
  assert.equal(await registry('repo redirects', '--end', 'acme/web'), 'acme/web')
  assert.equal((await served.request('GET', '/v2/acme/web/manifests/1')).status, 404)
})

test('what cannot be is refused by name', async () => {
  await using typed = await typedRegistry()
  const cases: [command: string, args: string[], words: RegExp][] = [
    ['quota set', ['team/**'], /no limit is given for team/],
    ['quota set', ['team/**', '--bytes', 'much'], /much/],
    ['quota set', ['team/**', '--tags', '-1'], /--tags takes a whole number, not -1/],
    ['quota set', ['team/*', '--tags', '1'], /quotas are not counted for team\/\*/],
    ['quota rm', ['team/**'], /team\/\*\* has no quota.*\n.*quota ls/],
    ['policy types', ['team'], /would neither allow nor block anything/],
    ['policy base', ['team', '--allow', 'base/os:1'], /no image base\/os:1 with layers/],
    ['promote', ['team/web', 'prod/web'], /cannot promote team\/web/],
    ['promote', ['team/web:1', 'prod/web'], /no image team\/web:1/],
    ['repo rename', ['acme/web', 'acme/site'], /there is no repository acme\/web/],
    ['repo rename', ['acme/web', 'acme/site', '--redirect', '30'], /--redirect takes a period, not 30/],
    ['repo redirects', ['--end', 'acme/web'], /acme\/web is not redirected/],
  ]
  for (const [command, args, words] of cases) {
    const { code, stderr } = await typed.attempt(command, ...args)
    assert.equal(code, 1, command)
    assert.match(stderr, words)
  }
})
