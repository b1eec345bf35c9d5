import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { execute } from '../kit/bale.ts'
import { cannotRun, prepared } from './prepared.ts'

const program = resolve(import.meta.dirname, '../../bin/bale')

test('a running container seen from another pid namespace runs, is kept, and is not touched', {
  skip: cannotRun,
}, async () => {
  await using place = await prepared()
  const { bale } = place
  await bale.run(['run', '-d', '--name', 'far', 'busybox:1', 'sleep', '600'])
  const elsewhere = (...args: string[]) =>
    execute('unshare', ['-p', '-f', '--mount-proc', program, '--run', `${bale.directory}/run2`, ...args], {
      env: bale.environment,
    })
  const shown = await elsewhere('ps', '-a', '--format', '{{.Names}} {{.State}}')
  assert.deepEqual([shown.code, shown.stdout], [0, 'far running\n'], shown.stderr)
  for (const args of [
    ['system', 'prune', '-f', '--volumes'],
    ['container', 'prune', '-f'],
  ]) {
    const pruned = await elsewhere(...args)
    assert.equal(pruned.code, 0, pruned.stderr)
    assert.doesNotMatch(pruned.stdout, /Deleted Containers/)
  }
  for (const args of [
    ['rm', '-f', 'far'],
    ['stop', 'far'],
    ['kill', 'far'],
    ['restart', 'far'],
    ['pause', 'far'],
    ['exec', 'far', 'true'],
    ['top', 'far'],
    ['cp', 'far:/etc/hosts', '-'],
    ['commit', 'far'],
    ['run', '--rm', '--pid', 'container:far', 'busybox:1', 'true'],
  ]) {
    const refused = await elsewhere(...args)
    assert.notEqual(refused.code, 0, args.join(' '))
    assert.match(refused.stderr, /another pid namespace/, args.join(' '))
  }
  const stats = await elsewhere('stats', '--no-stream', '--format', '{{.Name}}')
  assert.equal(stats.code, 0, stats.stderr)
  assert.match(await bale.run(['exec', 'far', 'cat', '/etc/hostname']), /^[0-9a-f]{12}$/, 'it is whole')
  await bale.run(['stop', '-t', '0', 'far'])
  const gone = await elsewhere('rm', 'far')
  assert.equal(gone.code, 0, gone.stderr)
})
