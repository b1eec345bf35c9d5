/** Images made by an enemy: what their configs, accounts, links and documents ask for acts inside the container or not at all. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { zstdCompressSync } from 'node:zlib'
import { atOnce, type Outcome } from '../kit/bale.ts'
import { digestOf, publish, publishDocument, scriptedRegistry } from '../kit/scripted-registry.ts'
import { tarEntry, tarOf } from '../kit/tar.ts'
import { cannotRun, prepared } from './prepared.ts'

const options = { skip: cannotRun }
const manifestType = 'application/vnd.oci.image.manifest.v1+json'
const indexType = 'application/vnd.oci.image.index.v1+json'

async function enemy() {
  const place = await prepared()
  const registry = await scriptedRegistry()
  const base = readFileSync(place.tar)
  let count = 0
  /** The name of an image of busybox, further layers and any config. */
  const image = (config: Record<string, unknown> = {}, ...layers: Uint8Array[]) => {
    const tag = `t${count++}`
    publish(registry, tag, {
      tars: [base, ...layers],
      config: (document) => Object.assign(document, { config: { Cmd: ['sh'], ...config } }),
    })
    return `${registry.host}/enemy:${tag}`
  }
  /** A directory of the machine that images point at; nothing in it may ever change. */
  const victims = join(place.bale.directory, 'victims')
  mkdirSync(join(victims, 'empty'), { recursive: true })
  const names = ['hosts', 'resolv.conf', 'hostname', 'mtab', 'null', 'console', 'passwd']
  for (const name of names) writeFileSync(join(victims, name), 'untouched')
  return {
    ...place,
    registry,
    image,
    victims,
    assertUnharmed() {
      assert.deepEqual(readdirSync(victims).sort(), [...names, 'empty'].sort())
      assert.deepEqual(readdirSync(join(victims, 'empty')), [])
      for (const name of names) assert.equal(readFileSync(join(victims, name), 'utf8'), 'untouched', name)
    },
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]()
      await place[Symbol.asyncDispose]()
    },
  }
}

function assertRefused(outcome: Outcome, code: number, words: RegExp, what = ''): void {
  assert.equal(outcome.code, code, `${what} ${outcome.stderr}${outcome.stdout}`)
  assert.match(outcome.stderr, words, what)
  assert.doesNotMatch(outcome.stderr, /\n\s+at .*\.[tj]s:|unexpected failure/, what)
}

const symlink = (name: string, linkName: string) => tarEntry(name, { type: 'symlink', linkName })

test('M09 M10: an unknown user runs nothing; a bare name in Env takes nothing from the host', options, async () => {
  await using place = await enemy()
  const { bale, image, victims } = place
  const account = await tarOf([symlink('etc/passwd', join(victims, 'passwd'))])
  const users: [string, Uint8Array?][] = [['4294967296'], ['nobody-knows'], ['untouched', account]]
  await atOnce(users, async ([user, layer]) =>
    assertRefused(
      await bale.try(['run', '--rm', image({ User: user }, ...(layer ? [layer] : [])), 'id']),
      125,
      /user/i,
      user,
    ),
  )
  const config = { Env: ['HOST_SECRET', 'LINES=a\nroot:x'], Labels: { 'io.bale.log': '/x', log: '../../x' } }
  const output = await bale.run(['run', '--rm', image(config), 'env'], { env: { HOST_SECRET: 'canary' } })
  assert.doesNotMatch(output, /canary|HOST_SECRET/)
  assert.match(output, /LINES=a\nroot:x/)
})

test('M11: a working directory is made and entered inside the root only', options, async () => {
  await using place = await enemy()
  const { bale, image, victims } = place
  const links = await tarOf([symlink('out', victims), symlink('up', '../../../../../..')])
  assert.equal(await bale.run(['run', '--rm', image({ WorkingDir: '/up/deep/er' }, links), 'pwd']), '/deep/er')
  await atOnce(['../..', '/proc/self/fd/8', '/proc/self/fd/7/../../..', '/out/made'], async (directory) => {
    const name = image({ WorkingDir: directory }, links)
    const outcome = await bale.try(['run', '--rm', name, 'cat', 'hosts', `../../../../..${victims}/hosts`])
    assert.doesNotMatch(outcome.stdout, /untouched/, directory)
    if (outcome.code !== 1) assert.equal(outcome.code, 125, directory)
  })
  place.assertUnharmed()
})

test(
  'M12 R05: volumes and their mount points stay inside the root, whatever links the image has',
  options,
  async () => {
    await using place = await enemy()
    const { bale, image, victims } = place
    const links = await tarOf([
      symlink('data', victims),
      symlink('etc2', '/etc'),
      tarEntry('full/', { type: 'directory', mode: 0o751 }),
      { entry: tarEntry('full/file', { uid: 7 }), text: 'from the image' },
      symlink('full/link', join(victims, 'hosts')),
    ])
    const volumes = { '/etc2': {}, '/data/new': {}, '/a/../full/': {} }
    const script = 'cat /etc2/passwd; cat /full/file; readlink /full/link; touch /data/new/x'
    const text = await bale.run(['run', '--rm', image({ Volumes: volumes }, links), 'sh', '-c', script])
    assert.match(text, /^root:x:0:0:[\s\S]*from the image\S*\/victims\/hosts$/)
    const named = ['-v', 'data:/data/empty', '-v', 'other:/etc2/new']
    await bale.run(['run', '--rm', ...named, image({}, links), 'sh', '-c', 'touch /data/empty/x /etc2/new/y'])
    await atOnce(['../../etc', '/', '/..', 'relative'], async (path) =>
      assertRefused(await bale.try(['create', image({ Volumes: { [path]: {} } })]), 1, /mount target|volume/i, path),
    )
    place.assertUnharmed()
    assert.deepEqual((await bale.run(['volume', 'ls', '-q'])).split('\n'), ['data', 'other'])
  },
)

test(
  'M13: an odd stop signal or port does not make a container that cannot be stopped or removed',
  options,
  async () => {
    await using place = await enemy()
    const { bale, image } = place
    for (const signal of ['9999', 'SIGNOPE', '../x']) {
      await bale.run(['run', '-d', '--name', 'odd', image({ StopSignal: signal }), 'sleep', '1000'])
      await bale.run(['stop', '-t', '0', 'odd'])
      await bale.run(['rm', 'odd'])
    }
    await atOnce(['99999/tcp', 'x;y', '0', '80/nope'], async (port) => {
      const outcome = await bale.try(['run', '--rm', '-P', image({ ExposedPorts: { [port]: {} } }), 'true'])
      assertRefused(outcome, 125, /port/i, port)
    })
    const refused: [config: Record<string, unknown>, words: RegExp][] = [
      [{ Entrypoint: Array.from({ length: 100_001 }, () => 'x') }, /more than 100000 entries/],
      [{ Entrypoint: ['x'.repeat(70_000)] }, /longer than 4095 bytes/],
      [{ Healthcheck: { Test: ['CMD', 'true'], Interval: 1 } }, /Interval in Healthcheck cannot be less/],
      [{ Healthcheck: { Test: ['CMD', 'true'], Interval: -5 } }, /Interval/],
    ]
    await atOnce(refused, async ([config, words]) =>
      assertRefused(await bale.try(['run', '--rm', image(config)]), 125, words),
    )
    assert.equal(await bale.run(['ps', '-aq']), '')
  },
)

test('R03 R10: /etc files and devices that the image made into links lead nowhere', options, async () => {
  await using place = await enemy()
  const { bale, image, victims } = place
  const files = await tarOf([
    ...['hosts', 'resolv.conf', 'hostname', 'mtab'].map((name) => symlink(`etc/${name}`, join(victims, name))),
    ...['null', 'console'].map((name) => symlink(`dev/${name}`, join(victims, name))),
  ])
  const script = 'echo x >> /etc/hosts; echo x > /etc/mtab; echo x > /dev/null; head -n 1 /etc/hosts; cat /etc/hostname'
  const text = await bale.run(['run', '--rm', '--hostname', 'box', image({}, files), 'sh', '-c', script])
  assert.deepEqual(text.split('\n'), ['127.0.0.1\tlocalhost', 'box'])
  await atOnce(['dev', 'proc', 'sys', 'etc'], async (directory) => {
    const linked = image({}, await tarOf([symlink(directory, victims)]))
    const outcome = await bale.try(['run', '--rm', linked, 'sh', '-c', 'cat /etc/hosts /proc/hosts /dev/hosts'])
    assert.doesNotMatch(outcome.stdout, /untouched/, directory)
  })
  place.assertUnharmed()
})

test(
  'R06: an image does not get at the masks of /proc by a volume on /dev, declared there or led there by a link',
  options,
  async () => {
    await using place = await enemy()
    const { bale, image } = place
    const devices = await tarOf([symlink('dev/null', '/proc/keys'), symlink('data', 'dev')])
    const volumes = ['/dev', '/dev/', '/x/../dev', '/dev/null', '/proc/sys', '/sys/firmware', '/data']
    await atOnce(volumes, async (volume) =>
      assertRefused(
        await bale.try(['run', '--rm', image({ Volumes: { [volume]: {} } }, devices), 'cat', '/proc/keys']),
        125,
        /volume of the image at \/|is a link in the image to \/dev/,
        volume,
      ),
    )
    // A volume that the user puts there is filled by the image as well.
    for (const target of ['/dev', '/data'])
      assertRefused(
        await bale.try(['run', '--rm', '-v', `filled:${target}`, image({}, devices), 'cat', '/proc/keys']),
        125,
        /no null device|is a link in the image to \/dev/,
        target,
      )
    const own = await bale.run(['run', '--rm', '-v', '/dev:/dev', image({}, devices), 'cat', '/proc/keys'])
    assert.equal(own, '')
    assert.equal(await bale.run(['ps', '-aq']), '')
  },
)

test('T04: a layer acts on lower layers inside the root only, also through their links', options, async () => {
  await using place = await enemy()
  const { bale, image, victims } = place
  const lower = await tarOf([symlink('out', victims), symlink('in', '/etc')])
  const upper = await tarOf([
    { entry: tarEntry('out/hosts'), text: 'overwritten' },
    tarEntry('out/.wh.mtab'),
    tarEntry('in/.wh.group'),
  ])
  const outcome = await bale.try([
    'run',
    '--rm',
    image({}, lower, upper),
    'sh',
    '-c',
    'cat /out/hosts; cat /out/mtab 2>/dev/null || :',
  ])
  if (outcome.code === 0) assert.equal(outcome.stdout, 'overwritten')
  else assertRefused(outcome, 125, /out/)
  place.assertUnharmed()
})

test('T24: what a table of contents in or beside a layer says is never looked at', options, async () => {
  await using place = await enemy()
  const { bale, registry } = place
  const tar = await tarOf([{ entry: tarEntry('file'), text: 'of the tar' }])
  const toc = Buffer.from(JSON.stringify({ version: 1, entries: [{ type: 'reg', name: 'evil', size: 4 }] }))
  const frame = Buffer.alloc(8)
  frame.writeUInt32LE(0x184d2a50)
  frame.writeUInt32LE(toc.length, 4)
  const blob = Buffer.concat([zstdCompressSync(tar), frame, toc])
  const digest = digestOf(blob)
  registry.blobs.set(digest, blob)
  publish(registry, 'chunked', {
    tars: [tar],
    manifest: (manifest) => {
      const annotations = {
        'io.github.containers.zstd-chunked.manifest-checksum': digestOf(toc),
        'io.github.containers.zstd-chunked.manifest-position': `${blob.length - toc.length}:${toc.length}:${toc.length}:1`,
        'containerd.io/snapshot/stargz/toc.digest': digestOf(toc),
      }
      const mediaType = 'application/vnd.oci.image.layer.v1.tar+zstd'
      manifest['layers'] = [{ mediaType, digest, size: blob.length, annotations }]
    },
  })
  await bale.run(['pull', '-q', `${registry.host}/x:chunked`])
  const id = await bale.run(['create', `${registry.host}/x:chunked`, '/none'])
  const out = join(bale.directory, 'out.tar')
  await bale.run(['export', '-o', out, id])
  const names = execFileSync('tar', ['-tf', out], { encoding: 'utf8' }).split('\n')
  assert.deepEqual([names.includes('file'), names.includes('evil')], [true, false])
})

test('M06: addresses in a descriptor are never asked', options, async () => {
  await using place = await enemy()
  const { bale, registry } = place
  await using elsewhere = await scriptedRegistry()
  const tar = await tarOf([{ entry: tarEntry('file'), text: 'hello' }])
  publish(registry, 'foreign', {
    tars: [tar],
    manifest: (manifest) => {
      const [layer] = manifest['layers'] as { digest: string; urls?: string[] }[]
      layer!.urls = [`http://${elsewhere.host}/v2/x/blobs/${layer!.digest}`, 'file:///etc/passwd']
      elsewhere.blobs.set(layer!.digest, registry.blobs.get(layer!.digest)!)
      registry.blobs.delete(layer!.digest)
    },
  })
  assertRefused(await bale.try(['pull', `${registry.host}/x:foreign`]), 1, /no such blob|not found|unknown/i)
  assert.deepEqual(elsewhere.requests, [])
})

test(
  'R15: a layer that is itself a file system image is never mounted, whatever it calls itself',
  options,
  async () => {
    await using place = await enemy()
    const { bale, registry } = place
    const layers = join(bale.directory, 'root/layers-v1')
    const found = readdirSync(layers, { recursive: true, encoding: 'utf8' }).find((path) =>
      path.endsWith('layer.erofs'),
    )
    const magic = Buffer.concat([Buffer.alloc(1024), Buffer.from('e2e1f5e0', 'hex'), Buffer.alloc(8192)])
    const bytes = found ? readFileSync(join(layers, found)) : magic
    for (const form of ['oci.image.layer.v1.tar', 'erofs.layer.v1', 'oci.image.layer.v1.erofs']) {
      const digest = digestOf(bytes)
      registry.blobs.set(digest, bytes)
      publish(registry, form, {
        tars: [bytes],
        manifest: (manifest) => {
          manifest['layers'] = [{ mediaType: `application/vnd.${form}`, digest, size: bytes.length }]
        },
      })
      const outcome = await bale.try(['run', '--rm', `${registry.host}/x:${form}`, '/bin/busybox', 'true'])
      // Its first two blocks are zeros: as a tar it is empty, so there is nothing in it to run.
      assert.notEqual(outcome.code, 0, form)
      assert.doesNotMatch(outcome.stderr, /unexpected failure/, form)
    }
    assert.match(await bale.run(['system', 'check']), /no damage/i)
  },
)

test('B12: attestations and empty lists in an index are passed over or refused, never followed', options, async () => {
  await using place = await enemy()
  const { bale, registry } = place
  const tar = await tarOf([{ entry: tarEntry('file'), text: 'hello' }])
  const digest = publish(registry, 'plain', { tars: [tar] })
  const size = registry.manifests.get(digest)!.bytes.length
  const nonsense = Buffer.from(`{"schemaVersion":2,"mediaType":"${manifestType}","layers":[]}`)
  const attestation = publishDocument(registry, 'attestation', nonsense, manifestType)
  const platform = { os: 'linux', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64' }
  const index = (manifests: unknown[]) =>
    publishDocument(
      registry,
      'index',
      Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests })),
      indexType,
    )
  const statement = {
    mediaType: manifestType,
    digest: attestation,
    size: nonsense.length,
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: { 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': digest },
  }
  index([statement, { mediaType: manifestType, digest, size, platform }])
  await bale.run(['pull', '-q', `${registry.host}/x:index`])
  index([statement])
  assertRefused(await bale.try(['pull', `${registry.host}/x:index`]), 1, /no matching manifest/)
  index([])
  assertRefused(await bale.try(['pull', `${registry.host}/x:index`]), 1, /no matching manifest|no platforms|empty/)
})

test(
  'M15: an archive that takes the name of an image leaves that image and its containers alone',
  options,
  async () => {
    await using place = await enemy()
    const { bale, image } = place
    const id = await bale.run(['image', 'inspect', '-f', '{{.Id}}', 'busybox:1'])
    await bale.run(['run', '-d', '--name', 'user', 'busybox:1', 'sleep', '1000'])
    const other = image({ Cmd: ['other'] })
    await bale.run(['pull', '-q', other])
    await bale.run(['tag', 'busybox:1', 'kept:1'])
    await bale.run(['tag', other, 'busybox:1'])
    const archive = join(bale.directory, 'other.tar')
    await bale.run(['save', '-o', archive, 'busybox:1'])
    await bale.run(['tag', 'kept:1', 'busybox:1'])
    const said = await bale.run(['load', '-i', archive])
    assert.match(said, /busybox:1/)
    assert.equal(await bale.run(['image', 'inspect', '-f', '{{.Id}}', id]), id)
    assert.equal(await bale.run(['inspect', '-f', '{{.Image}} {{.State.Status}}', 'user']), `${id} running`)
  },
)

test(
  'B02 B05: what a step put in the place of its mount point is left alone; a git address is refused',
  options,
  async () => {
    await using place = await enemy()
    const { bale, victims } = place
    const context = join(bale.directory, 'context')
    mkdirSync(context)
    const steps = [
      'FROM busybox:1',
      `RUN --mount=type=tmpfs,target=/a/empty mkdir /c && ln -s ${victims} /c/a`,
      `RUN --mount=type=tmpfs,target=/a/empty mv /a /b && ln -s ${victims} /a`,
      `RUN --mount=type=cache,target=/c/a/made touch /c/a/made/x`,
    ]
    writeFileSync(join(context, 'Dockerfile'), `${steps.join('\n')}\n`)
    await bale.try(['build', '-q', '-t', 'swapped', context])
    place.assertUnharmed()
    const addresses = ['https://example.com/x.git', 'git@example.com:x/y', 'git://example.com/x', 'ext::sh -c id']
    await atOnce(addresses, async (address) =>
      assertRefused(await bale.try(['build', address]), 1, /git|not|unable/i, address),
    )
    assert.equal(existsSync(join(bale.directory, 'root/tmp/git')), false)
  },
)
