import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { execute, testBale } from '../kit/bale.ts'
import { cannotRun, prepared } from './prepared.ts'

const options = { skip: cannotRun }

test(
  'import reads plain, gzip, xz, zstd and bzip2 tars, a pipe and a URL, and gives the same layer',
  options,
  async () => {
    await using place = await prepared()
    const { bale, tar } = place
    const diffId = async (name: string) =>
      bale.run(['image', 'inspect', name, '--format', '{{index .RootFS.Layers 0}}'])
    const expected = await diffId('busybox:1')
    for (const [tool, suffix] of [
      ['gzip', 'gz'],
      ['xz', 'xz'],
      ['zstd', 'zst'],
      ['bzip2', 'bz2'],
    ]) {
      const packed = await execute('/bin/sh', ['-c', `${tool} -1 -c '${tar}' > '${tar}.${suffix}'`])
      if (packed.code !== 0) continue
      await bale.run(['import', `${tar}.${suffix}`, `by:${suffix}`])
      assert.equal(await diffId(`by:${suffix}`), expected, suffix)
    }
    await bale.run(['import', '-', 'by:pipe'], { input: readFileSync(tar) })
    assert.equal(await diffId('by:pipe'), expected)
    const server = createServer((request, response) => {
      if (request.url === '/rootfs.tar') response.end(readFileSync(tar))
      else response.writeHead(404).end('nothing here')
    })
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    try {
      const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      await bale.run(['import', `${base}/rootfs.tar`, 'by:url'])
      assert.equal(await diffId('by:url'), expected)
      const missing = await bale.try(['import', `${base}/none.tar`, 'by:none'])
      assert.equal(missing.code, 1)
      assert.match(missing.stderr, /404/)
    } finally {
      server.close()
    }
  },
)

test('import writes message, platform and changes into the config', options, async () => {
  await using place = await prepared()
  const { bale, tar } = place
  await bale.run([
    ...['import', '-m', 'from a test', '--platform', 'linux/arm64', '-c', 'ENV A="b c"', '-c', 'EXPOSE 80'],
    ...['-c', 'ENTRYPOINT ["/bin/sh"]', '-c', 'LABEL one=1 two=2', tar, 'changed:1'],
  ])
  const [image] = JSON.parse(await bale.run(['image', 'inspect', 'changed:1']))
  assert.equal(image.Architecture, 'arm64')
  assert.equal(image.Comment, 'from a test')
  assert.deepEqual(image.Config.Env?.includes('A=b c'), true)
  assert.deepEqual(image.Config.ExposedPorts, { '80/tcp': {} })
  assert.deepEqual(image.Config.Labels, { one: '1', two: '2' })
  const refused = await bale.try(['import', '-c', 'RUN true', tar, 'bad:1'])
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /RUN/)
  assert.equal(await bale.run(['images', '-q', 'bad']), '')
})

test(
  'save and load: the same image ID and layers in an empty store, several images in one file, the same bytes twice',
  options,
  async () => {
    await using place = await prepared()
    const { bale, tar } = place
    await using other = await testBale()
    await bale.run(['import', '-c', 'ENV X=1', tar, 'second:2'])
    const file = join(bale.directory, 'two.tar')
    await bale.run(['save', '-o', file, 'busybox:1', 'second:2'])
    const loaded = await other.run(['load', '-i', file])
    assert.deepEqual(loaded.split('\n').sort(), ['Loaded image: busybox:1', 'Loaded image: second:2'])
    const facts = ['image', 'inspect', 'busybox:1', 'second:2', '--format', '{{.Id}} {{json .RootFS.Layers}}']
    assert.equal(await other.run(facts), await bale.run(facts))
    await bale.run(['save', '-o', `${file}.again`, 'busybox:1', 'second:2'])
    assert.ok(readFileSync(file).equals(readFileSync(`${file}.again`)))
    assert.equal(await other.run(['run', '--rm', 'busybox:1', 'echo', 'works']), 'works')
  },
)

test(
  'what save writes, skopeo reads as docker and as OCI archive; what skopeo writes, load reads',
  options,
  async (context) => {
    const probe = await execute('/bin/sh', ['-c', 'command -v skopeo'])
    if (probe.code !== 0) return context.skip('skopeo is not installed')
    await using place = await prepared()
    const { bale } = place
    const file = join(bale.directory, 's.tar')
    await bale.run(['save', '-o', file, 'busybox:1'])
    const id = await bale.run(['image', 'inspect', 'busybox:1', '--format', '{{.Id}}'])
    for (const kind of ['docker-archive', 'oci-archive']) {
      const seen = await execute('skopeo', ['inspect', '--config', '--raw', `${kind}:${file}`])
      assert.equal(seen.code, 0, seen.stderr)
      const digest = await execute('sha256sum', [], { input: seen.stdout })
      assert.equal(`sha256:${digest.stdout.slice(0, 64)}`, id, kind)
      const target = join(bale.directory, `${kind}.tar`)
      const copied = await execute('skopeo', ['copy', '-q', `${kind}:${file}`, `${kind}:${target}:from/skopeo:1`])
      assert.equal(copied.code, 0, copied.stderr)
      await using other = await testBale()
      await other.run(['load', '-i', target])
      const layers = ['image', 'inspect', 'from/skopeo:1', '--format', '{{json .RootFS.Layers}}']
      assert.equal(await other.run(layers), await bale.run([...layers.slice(0, 2), 'busybox:1', ...layers.slice(3)]))
    }
  },
)

test('a truncated, garbage or empty archive is refused and leaves nothing in the store', options, async () => {
  await using place = await prepared()
  const { bale } = place
  await using empty = await testBale()
  const file = join(bale.directory, 's.tar')
  await bale.run(['save', '-o', file, 'busybox:1'])
  const whole = readFileSync(file)
  for (const [name, bytes] of Object.entries({
    truncated: whole.subarray(0, whole.length >> 1),
    garbage: Buffer.from('this is not an archive'.repeat(100)),
    empty: Buffer.alloc(0),
    'no manifest': Buffer.alloc(10240),
  })) {
    const bad = join(bale.directory, 'bad.tar')
    writeFileSync(bad, bytes)
    const outcome = await empty.try(['load', '-i', bad])
    assert.equal(outcome.code, 1, name)
    assert.match(outcome.stderr, /^bale: /, name)
    assert.doesNotMatch(outcome.stderr, /\n\s+at /, name)
  }
  assert.equal(await empty.run(['images', '-aq']), '')
  assert.match(await empty.run(['system', 'check']), /no damage/i)
})
