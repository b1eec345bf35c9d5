import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execute, type TestBale } from '../kit/bale.ts'
import { busyboxTar } from '../kit/busybox.ts'

/**
 * Goes once through every verb that touches layers, and asserts what each must do; at the end the store is empty again. For
 * machines, formats and runtimes that differ from the usual one.
 */
export async function layerVerbs(bale: TestBale): Promise<void> {
  const work = join(bale.directory, 'layer-verbs')
  mkdirSync(work)
  const inContainer = ['run', '--rm', '--network', 'none']
  await bale.run(['import', '-c', 'CMD ["sh"]', busyboxTar(work), 'base:1'])
  assert.equal(await bale.run([...inContainer, 'base:1', 'echo', 'hello']), 'hello')

  await bale.run(['run', '-d', '--network', 'none', '--name', 'web', 'base:1', 'sleep', '1000'])
  await bale.run([
    'exec',
    'web',
    'sh',
    '-c',
    'echo added > /added; rm /etc/group; rm -r /var; mkdir /var; echo v > /var/v',
  ])
  assert.equal(await bale.run(['diff', 'web']), 'A /added\nC /etc\nD /etc/group\nC /var\nA /var/v')
  await bale.run(['cp', 'web:/added', join(work, 'out')])
  await bale.run(['cp', join(work, 'out'), 'web:/copied'])
  const exported = join(work, 'exported.tar')
  await bale.run(['export', '-o', exported, 'web'])
  const names = (await execute('/bin/tar', ['-tf', exported])).stdout.split('\n')
  assert.deepEqual([names.includes('copied'), names.includes('etc/group')], [true, false])
  await bale.run(['commit', 'web', 'committed:1'])
  await bale.run(['stop', '-t', '0', 'web'])
  await bale.run(['start', 'web'])
  assert.equal(await bale.run(['exec', 'web', 'cat', '/var/v']), 'v')

  const context = join(work, 'context')
  mkdirSync(context)
  writeFileSync(join(context, 'file'), 'from the context\n')
  writeFileSync(
    join(context, 'Dockerfile'),
    'FROM committed:1\nRUN cat /added > /built && rm /copied\nCOPY file /file\nFROM base:1\nCOPY --from=0 /built /file /\n',
  )
  const build = ['build', '--network', 'none', '-t', 'built:1', context]
  await bale.run(build)
  const again = (await bale.try(build)).stderr
  assert.equal(again.match(/^#\d+ CACHED$/gm)?.length, again.match(/^#\d+ \[/gm)?.length, again)

  const saved = join(work, 'saved.tar')
  await bale.run(['save', '-o', saved, 'built:1', 'committed:1'])
  const facts = ['image', 'inspect', 'built:1', 'committed:1', '--format', '{{.Id}} {{json .RootFS.Layers}}']
  const before = await bale.run(facts)
  await bale.run(['rm', '-f', 'web'])
  await bale.run(['builder', 'prune', '-af'])
  await bale.run(['rmi', 'built:1', 'committed:1', 'base:1'])
  assert.equal(await bale.run(['images', '-aq']), '')

  await bale.run(['load', '-i', saved])
  assert.equal(await bale.run(facts), before)
  assert.equal(await bale.run([...inContainer, 'built:1', 'cat', '/built', '/file']), 'added\nfrom the context')
  assert.equal(
    await bale.run([...inContainer, 'committed:1', 'sh', '-c', 'ls -d /var/* /etc/group 2>&1; true']),
    LISTED,
  )
  assert.match(await bale.run(['system', 'check']), /no damage/i)
  await bale.run(['system', 'prune', '-af', '--volumes'])
  const usage = await bale.run(['system', 'df', '--format', '{{.Type}} {{.TotalCount}} {{.Size}}'])
  for (const line of usage.split('\n')) assert.match(line, / 0 0B$/, line)
}

const LISTED = 'ls: /etc/group: No such file or directory\n/var/v'
