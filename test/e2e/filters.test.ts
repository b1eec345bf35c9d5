/** A filter means the same in every list and every prune. Nothing is started: containers are only made. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createEngine, readConfig } from '../../src/engine/index.ts'
import type { TestBale } from '../kit/bale.ts'
import { cannotRun, prepared } from './prepared.ts'

const options = { skip: cannotRun }
/** The engine in this process: a list costs no start of a program. */
const engineOf = ({ environment }: TestBale) =>
  createEngine({ config: readConfig({ root: environment['BALE_ROOT'], run: environment['BALE_RUN'] }) })
const pairs = (filters: readonly string[]) =>
  filters.map((word) => ({ name: word.slice(0, word.indexOf('=')), value: word.slice(word.indexOf('=') + 1) }))
const words = (text: string) => text.split('\n').filter(Boolean).sort().join(' ')

test('ps: names are patterns, labels must all hold, an ancestor is found below its descendants', options, async () => {
  await using made = await prepared()
  const { bale } = made
  const dockerfile = join(bale.directory, 'Dockerfile')
  writeFileSync(dockerfile, 'FROM busybox:1\nLABEL kind=child\nCOPY Dockerfile /x\n')
  await bale.run(['build', '-q', '-t', 'child:1', '-f', dockerfile, bale.directory])
  const create = (name: string, image: string, ...flags: string[]) =>
    bale.run(['create', '--name', name, ...flags, image, 'true'])
  await create('web', 'busybox:1', '-l', 'role=web', '-l', 'stage=test', '-v', 'data:/data')
  await create('webs', 'busybox:1', '-l', 'role=web', '--expose', '9000/udp')
  await create('db', 'child:1', '-l', 'role=db', '-l', 'stage=test', '--network', 'none')
  await using engine = engineOf(bale)
  const ps = async (...filters: string[]) => {
    const rows = await engine.containers.list({ all: true, filters: pairs(filters) })
    return words(rows.map(({ name }) => name).join('\n'))
  }

  const cases: [string[], string][] = [
    [['name=web'], 'web webs'],
    [['name=^web$'], 'web'],
    [['name=^/web$'], 'web'],
    [['name=(?i)^WEB$'], 'web'],
    [['name=['], ''],
    [['name=^web$', 'name=db'], 'db web'],
    [['label=role=web', 'label=stage=test'], 'web'],
    [['label=role=web', 'label=role=db'], ''],
    [['label!=stage'], 'webs'],
    [['name=web', 'label=stage'], 'web'],
    [['ancestor=busybox:1'], 'db web webs'],
    [['ancestor=child:1'], 'db'],
    [['ancestor=child:1', 'ancestor=nosuch:1'], 'db'],
    [['ancestor=nosuch:1'], ''],
    [['volume=data'], 'web'],
    [['volume=/data'], 'web'],
    [['network=none'], 'db'],
    [['expose=9000/udp'], 'webs'],
    [['expose=8999-9001/udp', 'publish=1'], 'webs'],
    [['status=created', 'status=running'], 'db web webs'],
    [['exited=0'], ''],
    [['health=none'], 'db web webs'],
    [['is-task=true'], ''],
    [['is-task=0'], 'db web webs'],
    // As docker on Linux, where no container has a mode of isolation.
    [['isolation=hyperv'], 'db web webs'],
    [['since=web'], 'db webs'],
    [['before=db', 'since=web'], 'webs'],
  ]
  for (const [filters, names] of cases) assert.equal(await ps(...filters), names, filters.join(' '))

  const wrong: [string, RegExp][] = [
    ['nosuch=1', /invalid filter 'nosuch'/],
    ['status=up', /invalid filter 'status=up'/],
    ['health=well', /invalid filter 'health=well'/],
    ['exited=x', /invalid filter 'exited=x'/],
    ['is-task=maybe', /invalid filter 'is-task=\[maybe\]'/],
    ['publish=1:2', /should not contain ':'/],
    ['before=nosuch', /No such container: nosuch/],
  ]
  for (const [filter, message] of wrong) {
    await assert.rejects(ps(filter), message, filter)
  }
  const patterned = await bale.run(['ps', '-a', '--format', '{{.Names}}', '--filter', 'name=^w', '-f', 'label=stage'])
  assert.equal(patterned, 'web')
  assert.equal((await bale.try(['ps', '-f', 'nosuch=1'])).code, 1)
  const unreadable = await bale.try(['ps', '--filter', 'name'])
  assert.equal(unreadable.code, 125)
  assert.match(unreadable.stderr, /^invalid argument "name" for "-f, --filter" flag: bad format of filter/)

  // The prunes: what all labels let through, and nothing else.
  assert.equal(await bale.run(['container', 'prune', '-f', '--filter', 'until=24h']), 'Total reclaimed space: 0B')
  await bale.run(['container', 'prune', '-f', '--filter', 'label!=stage', '--filter', 'label=role'])
  assert.equal(await ps(), 'db web')
  await bale.run(['system', 'prune', '-f', '--filter', 'label=role=db', '--filter', 'label=stage=test'])
  assert.equal(await ps(), 'web')
  await bale.run(['rm', 'web'])
  assert.equal(
    words(await bale.run(['images', '--format', '{{.Repository}}', '--filter', 'label=kind=child'])),
    'child',
  )
  await bale.run(['image', 'prune', '-af', '--filter', 'label!=kind'])
  assert.equal(words(await bale.run(['images', '--format', '{{.Repository}}'])), 'child')
})

test('networks and volumes: names are patterns, dangling has its own words, prunes go by label', options, async () => {
  await using made = await prepared()
  const { bale } = made
  for (const name of ['net', 'nets']) await bale.run(['network', 'create', '--label', `l=${name}`, name])
  for (const name of ['vol', 'vols']) await bale.run(['volume', 'create', '--label', `l=${name}`, name])
  await bale.run(['create', '--name', 'user', '--network', 'net', '-v', 'vol:/v', 'busybox:1', 'true'])
  await using engine = engineOf(bale)
  const list = async (noun: string, ...filters: string[]) => {
    const listed = { filters: pairs(filters) }
    const found = noun === 'network' ? await engine.networks.list(listed) : await engine.volumes.list(listed)
    return words(found.map(({ Name }) => Name).join('\n'))
  }
  const cases: [string, string[], string][] = [
    ['network', ['name=net'], 'net nets'],
    ['network', ['name=^net$'], 'net'],
    ['network', ['name=^net$', 'name=^host$'], 'host net'],
    ['network', ['name=['], ''],
    ['network', ['type=custom', 'label!=l=net'], 'nets'],
    ['network', ['dangling=true'], 'nets'],
    ['network', ['dangling=0', 'driver=bridge'], 'bridge net'],
    ['network', ['driver=null', 'driver=host'], 'host none'],
    ['volume', ['name=vol'], 'vol vols'],
    ['volume', ['name=l$'], 'vol'],
    ['volume', ['dangling=true'], 'vols'],
    ['volume', ['dangling=false'], 'vol'],
    ['volume', ['label=l', 'label=l=vols'], 'vols'],
    ['volume', ['driver=other'], ''],
  ]
  for (const [noun, filters, names] of cases) assert.equal(await list(noun, ...filters), names, filters.join(' '))
  for (const [noun, filter] of [
    ['network', 'dangling=nonsense'],
    ['network', 'type=odd'],
    ['volume', 'dangling=nonsense'],
    ['volume', 'nosuch=1'],
  ] as const) {
    await assert.rejects(list(noun, filter), /invalid filter '/, filter)
  }
  await bale.run(['rm', 'user'])
  assert.match(await bale.run(['network', 'prune', '-f', '--filter', 'label=l=nets']), /Deleted Networks:\nnets$/)
  assert.equal(await list('network', 'type=custom'), 'net')
  await bale.run(['volume', 'prune', '-f', '--filter', 'label=l'])
  assert.equal(await list('volume'), 'vol vols')
  await bale.run(['volume', 'prune', '-f', '--filter', 'all=1', '--filter', 'label!=l=vol'])
  assert.equal(await list('volume'), 'vol')
})
