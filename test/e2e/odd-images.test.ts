/** What is odd is taken as docker takes it or refused in words; a verb that says it has an image has one that all others see. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { atOnce, testBale } from '../kit/bale.ts'
import { busyboxTar } from '../kit/busybox.ts'
import { makeTar } from '../kit/scanned-tar.ts'
import { digestOf, publish, publishDocument, scriptedRegistry } from '../kit/scripted-registry.ts'
import { temporaryDirectory } from '../kit/temporary.ts'
import { cannotRun, prepared } from './prepared.ts'

const options = { skip: cannotRun }
const OCI = 'application/vnd.oci.image.'

type Fields = Record<string, Record<string, unknown>>

for (const configType of ['application/octet-stream', 'application/json', 'text/html', ''])
  test(`an image whose config has the type "${configType}" of 2016 is seen by every verb`, options, async () => {
    await using registry = await scriptedRegistry()
    const manifest = (fields: Fields) => Object.assign(fields['config']!, { mediaType: configType })
    await using bale = await testBale()
    publish(registry, 'old', { tars: [readFileSync(busyboxTar(bale.directory))], manifest: manifest as never })
    const name = `${registry.host}/team/web:old`
    assert.match(await bale.run(['pull', name]), /Status: Downloaded newer image/)
    assert.equal(await bale.run(['images', '--format', '{{.Repository}}:{{.Tag}}']), name)
    const id = await bale.run(['image', 'inspect', name, '--format', '{{.Id}}'])
    assert.equal(await bale.run(['run', '--rm', name, 'echo', 'runs']), 'runs')
    const saved = join(bale.directory, 'saved.tar')
    await bale.run(['save', '-o', saved, name])
    await bale.run(['rmi', name])
    assert.equal(await bale.run(['images', '-q']), '')
    await bale.run(['load', '-i', saved])
    assert.equal(await bale.run(['image', 'inspect', name, '--format', '{{.Id}}']), id)
  })

test(
  'a chart, an artifact with an empty config and a signature are refused in words, with nothing kept',
  options,
  async () => {
    await using bale = await testBale()
    await using registry = await scriptedRegistry()
    const kinds: [tag: string, config: string, layer: string, more?: object][] = [
      ['helm', 'application/vnd.cncf.helm.config.v1+json', 'application/vnd.cncf.helm.chart.content.v1.tar+gzip'],
      ['empty', 'application/vnd.oci.empty.v1+json', 'text/plain', { artifactType: 'application/vnd.example.thing' }],
      ['disguised', `${OCI}config.v1+json`, 'text/plain'],
      ['attestation', `${OCI}config.v1+json`, 'application/vnd.in-toto+json'],
    ]
    await atOnce(kinds, async ([tag, mediaType, layerType, more]) => {
      const [config, content] = [Buffer.from('{}'), Buffer.from(`content of ${tag}`)]
      for (const blob of [config, content]) registry.blobs.set(digestOf(blob), blob)
      const document = {
        ...{ schemaVersion: 2, mediaType: `${OCI}manifest.v1+json`, ...more },
        config: { mediaType, digest: digestOf(config), size: config.length },
        layers: [{ mediaType: layerType, digest: digestOf(content), size: content.length }],
      }
      publishDocument(registry, tag, Buffer.from(JSON.stringify(document)), document.mediaType)
      const { code, stdout, stderr } = await bale.try(['pull', `${registry.host}/team/a:${tag}`])
      assert.equal(code, 1, tag)
      assert.doesNotMatch(stdout, /Status:/)
      assert.match(stderr, new RegExp(`team/a:${tag} is not an image, but an artifact of type `), tag)
    })
    assert.equal(await bale.run(['images', '-aq']), '')
    assert.match(await bale.run(['system', 'df', '--format', '{{.Type}} {{.Size}}']), /^Images 0B/)
  },
)

test('an index with odd entries is pulled for this machine, and inspected as it is', options, async () => {
  await using directory = await temporaryDirectory()
  await using registry = await scriptedRegistry()
  const digest = publish(registry, 'only', { tars: [readFileSync(busyboxTar(directory.path))] })
  const { bytes } = registry.manifests.get(digest)!
  const good = {
    ...{ mediaType: `${OCI}manifest.v1+json`, digest, size: bytes.length },
    platform: { os: 'linux', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64' },
  }
  const other = { ...good, digest: digestOf(Buffer.from('other')) }
  const odd: [string, unknown][] = [
    ['no system', { ...other, platform: { os: '', architecture: 'arm' } }],
    ['a sentence', { ...other, platform: { os: 'linux', architecture: 'weird / arch' } }],
    ['two variants', { ...other, platform: { os: 'linux', architecture: 'arm', variant: 'v6, v7' } }],
    ['unknown digest', { ...other, digest: 'blake3:0011' }],
    ['no size', { ...other, size: null }],
    ['null', null],
  ]
  await atOnce(odd.entries(), async ([number, [what, entry]]) => {
    const index = { schemaVersion: 2, mediaType: `${OCI}index.v1+json`, manifests: [entry, good] }
    publishDocument(registry, `odd${number}`, Buffer.from(JSON.stringify(index)), index.mediaType)
    await using bale = await testBale()
    const name = `${registry.host}/team/web:odd${number}`
    await bale.run(['pull', name])
    assert.notEqual(await bale.run(['image', 'inspect', name, '--format', '{{.Id}}']), '', what)
    assert.equal(await bale.run(['run', '--rm', name, 'echo', what]), what)
    const { code, stderr } = await bale.try(['pull', '--platform', 'linux/s390x', name])
    assert.equal(code, 1)
    assert.match(stderr, /no matching manifest for linux\/s390x/, what)
  })
})

test('archives that leave out layers, hold xz layers, odd names and other platforms are loaded', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const saved = join(bale.directory, 'saved.tar')
  await bale.run(['save', '-o', saved, 'busybox:1'])
  const layer = readFileSync(place.tar)
  const config = execFileSync('tar', ['-xOf', saved, ...configName(saved)])
  const file = (name: string, content: Uint8Array | string) => ({ name, type: 'file' as const, content })
  const manifestJson = (Layers: string[], RepoTags: string[]) =>
    file('manifest.json', JSON.stringify([{ Config: 'c.json', RepoTags, Layers }]))
  const load = async (entries: Parameters<typeof makeTar>[0], on = bale) => {
    const path = join(bale.directory, 'made.tar')
    writeFileSync(path, await makeTar(entries))
    return on.try(['load', '-i', path])
  }
  const without = [file('c.json', config), manifestJson(['gone/layer.tar'], ['without:1'])]
  assert.match((await load(without)).stdout, /Loaded image: without:1/)
  assert.equal(await bale.run(['run', '--rm', 'without:1', 'echo', 'whole']), 'whole')
  await using empty = await testBale()
  const missing = await load(without, empty)
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /gone\/layer\.tar/)

  for (const tool of ['xz', 'bzip2']) {
    await using fresh = await testBale()
    const packed = execFileSync(tool, ['-1c'], { input: layer, maxBuffer: 1 << 30 })
    const loaded = await load([file('c.json', config), file('l', packed), manifestJson(['l'], [`by:${tool}`])], fresh)
    assert.equal(loaded.code, 0, loaded.stderr)
    assert.equal(await fresh.run(['run', '--rm', `by:${tool}`, 'echo', tool]), tool)
  }
  const odd = await load([...without.slice(0, 1), manifestJson(['gone'], [digestOf(config), 'Team/X', 'fine:1'])])
  assert.match(odd.stdout, /Loaded image: fine:1/)
  assert.match(odd.stderr, /without the name "Team\/X"/)
})

const configName = (archive: string) => [
  (JSON.parse(execFileSync('tar', ['-xOf', archive, 'manifest.json']).toString()) as [{ Config: string }])[0].Config,
]

test('save of a repository takes all its tags, under the names that people type', options, async () => {
  await using place = await prepared()
  const { bale } = place
  await bale.run(['tag', 'busybox:1', 'busybox:2'])
  await bale.run(['tag', 'busybox:1', 'localhost:5000/team/busybox:3'])
  const saved = join(bale.directory, 'saved.tar')
  await bale.run(['save', '-o', saved, 'busybox'])
  const [listed] = JSON.parse(execFileSync('tar', ['-xOf', saved, 'manifest.json']).toString())
  assert.deepEqual(listed.RepoTags.toSorted(), ['busybox:1', 'busybox:2'])
  const { code, stderr } = await bale.try(['save', '-o', saved, 'no-such'])
  assert.equal(code, 1)
  assert.match(stderr, /No such image: no-such\n/)
})

test(
  'commit keeps the base’s os.version and annotations, and leaves out what only its config knows',
  options,
  async () => {
    await using bale = await testBale()
    await using registry = await scriptedRegistry()
    publish(registry, 'base', {
      tars: [readFileSync(busyboxTar(bale.directory))],
      config: (config) => Object.assign(config, { 'os.version': '10.0', 'x.vendor': 1 }),
      manifest: (manifest) => Object.assign(manifest, { annotations: { kept: 'yes' } }),
    })
    const name = `${registry.host}/team/web:base`
    await bale.run(['pull', name])
    await bale.run(['run', '--name', 'box', name, 'touch', '/new'])
    const id = await bale.run(['commit', 'box', 'made:1'])
    const layout = join(bale.directory, 'layout')
    await bale.run(['save', '--format', 'oci-dir', '-o', layout, 'made:1'])
    const blob = (digest: string) => JSON.parse(readFileSync(join(layout, 'blobs', digest.replace(':', '/')), 'utf8'))
    const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'))
    const manifest = blob(index.manifests[0].digest)
    assert.deepEqual(manifest.annotations, { kept: 'yes' })
    assert.equal(manifest.layers.length, 2)
    assert.equal(manifest.config.digest, id)
    const config = blob(id)
    assert.equal(config['os.version'], '10.0')
    assert.equal('x.vendor' in config, false)
    // One entry for the base's layer, which its config did not describe, and one for the own.
    assert.equal(config.history.length, 2)
  },
)

test('commit of a container that wrote nothing adds no layer; ENTRYPOINT drops the old command', options, async () => {
  await using place = await prepared()
  const { bale } = place
  await bale.run(['create', '--name', 'idle', 'busybox:1', 'echo', 'old'])
  await bale.run(['commit', '-m', 'nothing', '-c', 'ENTRYPOINT ["echo","new"]', 'idle', 'idle:1'])
  const inspected = await bale.run([
    'image',
    'inspect',
    'idle:1',
    '--format',
    '{{len .RootFS.Layers}} {{json .Config.Cmd}}',
  ])
  assert.equal(inspected, '1 null')
  assert.match(await bale.run(['history', 'idle:1', '--format', '{{.Size}} {{.Comment}}']), /^0B nothing\n/)
  assert.equal(await bale.run(['run', '--rm', 'idle:1']), 'new')
  mkdirSync(join(bale.directory, 'out'))
  await bale.run(['save', '-o', join(bale.directory, 'out/idle.tar'), 'idle:1'])
  await using fresh = await testBale()
  await fresh.run(['load', '-i', join(bale.directory, 'out/idle.tar')])
  assert.equal(await fresh.run(['run', '--rm', 'idle:1']), 'new')
})
