import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readTextSync } from '#host/file'
import { execute } from '../kit/bale.ts'
import { mountsBelow } from '../kit/temporary.ts'
import { until } from '../kit/until.ts'
import { cannotRun, prepared } from './prepared.ts'

test('after everything is removed the store holds nothing: no file, mount, rule, process or cgroup', {
  skip: cannotRun,
}, async () => {
  await using place = await prepared()
  const { bale } = place
  await bale.run(['run', '-d', '--name', 'one', '-p', '127.0.0.1::80', '-v', 'vol:/data', 'busybox:1', 'sleep', '1000'])
  await bale.run(['exec', 'one', 'touch', '/made'])
  await bale.run(['commit', 'one', 'committed:1'])
  const id = await bale.run(['inspect', '--format', '{{.Id}}', 'one'])
  // Rules name the container; other tests have rules of their own at the same time.
  const rules = async () => (await execute('/bin/sh', ['-c', `iptables-save -t nat | grep "${id}"`])).stdout
  assert.notEqual(await rules(), '')
  await bale.run(['rm', '-f', '-v', 'one'])
  await bale.run(['volume', 'rm', 'vol'])
  await bale.run(['rmi', 'committed:1', 'busybox:1'])
  const usage = await bale.run(['system', 'df', '--format', '{{.Type}} {{.TotalCount}} {{.Size}}'])
  for (const line of usage.split('\n')) assert.match(line, / 0 0B$/, line)
  const root = join(bale.directory, 'root')
  assert.deepEqual(filesBelow(join(root, 'blobs')), [])
  assert.deepEqual(filesBelow(join(root, 'layers-v1')), [])
  assert.deepEqual(filesBelow(join(root, 'containers')), [])
  assert.equal(await rules(), '')
  const cgroups = await execute('/bin/sh', ['-c', `ls -d /sys/fs/cgroup/*/bale/${id} 2>/dev/null | wc -l`])
  assert.equal(cgroups.stdout.trim(), '0')
  // The monitor ends by itself, after the clean-up that it has started (two seconds for an idle bridge, and the load).
  const monitors = async () =>
    (
      await execute('/bin/sh', [
        '-c',
        `cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -o "[c]onmon.*${id}.*"`,
      ])
    ).stdout
  await until('the monitor has ended', async () => (await monitors()) === '')
  // Taking the bridge down needs a network namespace for a moment.
  assert.deepEqual(mountsBelow(bale.directory), [])
})

test('layers are shared and never written: every byte is the same before and after a container lived on them', {
  skip: cannotRun,
}, async () => {
  await using place = await prepared()
  const { bale } = place
  const layers = join(bale.directory, 'root/layers-v1')
  const sums = async () =>
    (await execute('/bin/sh', ['-c', `find '${layers}' -type f | sort | xargs sha256sum`])).stdout
  const before = await sums()
  assert.match(before, /layer\.erofs|layer\.tar\.zst/)
  await bale.run([
    'run',
    '--name',
    'writer',
    'busybox:1',
    'sh',
    '-c',
    'rm -rf /bin/vi /etc/group; echo x > /etc/passwd; touch /bin/new',
  ])
  await bale.run(['rm', 'writer'])
  assert.equal(await sums(), before)
  assert.equal(readTextSync('/proc/self/mountinfo').includes(`${bale.directory}/root/containers`), false)
})

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}
