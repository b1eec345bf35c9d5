/** Section by section what must happen to bad input: a clear error, docker's exit code, no stack trace, nothing left behind. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { atOnce, execute, type Outcome, type TestBale, testBale } from '../kit/bale.ts'
import { type Killing, killed } from '../kit/killed.ts'
import { publish, publishDocument, scriptedRegistry } from '../kit/scripted-registry.ts'
import { tarEntry, tarOf } from '../kit/tar.ts'
import { until } from '../kit/until.ts'
import { cannotRun, prepared } from './prepared.ts'

const options = { skip: cannotRun }

/** A failure as people may see it: code, one message that begins with our name, no stack. */
function assertRefused(outcome: Outcome, code: number, words: RegExp, what = ''): void {
  assert.equal(outcome.code, code, `${what} ${outcome.stderr}${outcome.stdout}`)
  assert.match(outcome.stderr, words, what)
  assert.doesNotMatch(outcome.stderr, /\n\s+at .*\.[tj]s:/, `${what}: a stack trace`)
  assert.doesNotMatch(outcome.stderr, /unexpected failure/, what)
}

/** Nothing half-done is left: no image, no layer, no partial file but resumable ones, and the check finds no damage. */
async function assertUntouched(bale: TestBale): Promise<void> {
  assert.equal(await bale.run(['images', '-aq']), '')
  assert.match(await bale.run(['system', 'check']), /no damage/i)
}

test('an unknown image, a bad reference and a bad platform are named', options, async () => {
  await using bale = await testBale()
  assertRefused(await bale.try(['image', 'inspect', 'nothing:1']), 1, /No such image: nothing:1/)
  assertRefused(
    await bale.try(['run', '--rm', '--pull', 'never', 'nothing:1', 'true']),
    125,
    /No such image: nothing:1/,
  )
  await atOnce(['UPPER', 'a b', 'a:b:c', '../x', 'a@sha256:12', 'x'.repeat(300)], async (name) =>
    assertRefused(await bale.try(['pull', name]), 1, /invalid reference|lowercase|digest|too long|255/i, name),
  )
  assertRefused(await bale.try(['pull', '--platform', 'lin ux', 'x']), 1, /platform/)
})

test('create: 125 for what cannot be understood, 1 for what means nothing', options, async () => {
  await using bale = await testBale()
  const file = join(bale.directory, 'latin1.env')
  writeFileSync(file, Buffer.from('A=1\nB=\xe4\n', 'latin1'))
  const lines: [flags: string[], code: number, words: RegExp][] = [
    [['--env-file', file], 125, /invalid env file \(.*\): invalid utf8 bytes at line 2: \[66 61 228\]/],
    [['--label-file', file], 125, /invalid utf8 bytes at line 2/],
    [['--env-file', '/none'], 125, /open \/none: no such file or directory/],
    [['--publish', 'a:b'], 125, /Invalid containerPort: b/],
    [['--security-opt', 'seccomp=/none'], 125, /\/none/],
    [['--restart', 'on-failure:x'], 125, /must be an integer/],
    [['--restart', 'sometimes'], 1, /unknown policy 'sometimes'/],
    [['--volume', 'a:b:c:d'], 1, /invalid volume specification/],
    [['--volume', '/x:/y:nope'], 1, /invalid mode: nope/],
    [['--mount', 'type=nope,dst=/x'], 1, /mount type "nope"/],
    [['--pull', 'never'], 1, /No such image: nothing:1/],
  ]
  await atOnce(lines, async ([flags, code, message]) =>
    assertRefused(await bale.try(['create', ...flags, 'nothing:1']), code, message, flags.join(' ')),
  )
})

test(
  'T01 T02 T05 T06 T08 T11 T17 T21 T22: hostile and damaged tars are refused by import and leave nothing',
  options,
  async () => {
    await using bale = await testBale()
    const good = await tarOf([{ entry: tarEntry('file'), text: 'x'.repeat(100_000) }])
    const broken = Buffer.from(good)
    broken.write('9', 148)
    const cases: Record<string, [Uint8Array, RegExp]> = {
      'T01 parent': [await tarOf([{ entry: tarEntry('../x'), text: 'a' }]), /\.\.\/x/],
      'T01 inner parent': [await tarOf([{ entry: tarEntry('a/../../b'), text: 'a' }]), /a\/\.\.\/\.\.\/b/],
      'T05 root as link': [await tarOf([tarEntry('.', { type: 'symlink', linkName: '/etc' })]), /root/i],
      'T06 hard link outside': [
        await tarOf([tarEntry('h', { type: 'hardlink', linkName: '../../etc/shadow' })]),
        /etc\/shadow/,
      ],
      'T06 hard link to nothing': [await tarOf([tarEntry('h', { type: 'hardlink', linkName: 'none' })]), /none/],
      'T08 whiteout of dot': [await tarOf([tarEntry('.wh..')]), /\.wh\.\./],
      'T08 whiteout of nothing': [await tarOf([tarEntry('d/.wh.')]), /\.wh\./],
      'T17 checksum': [broken, /checksum/i],
      'T21 truncated': [good.subarray(0, 50_000), /end|truncated|short/i],
      'T21 garbage': [Buffer.from('no tar at all '.repeat(1000)), /tar/i],
      'T22 gzip that ends early': [gzipSync(good).subarray(0, 100), /end|truncated|gzip/i],
    }
    await atOnce(Object.entries(cases), async ([name, [bytes, words]]) =>
      assertRefused(await bale.try(['import', '-', 'bad:1'], { input: bytes }), 1, words, name),
    )
    await assertUntouched(bale)
  },
)

test(
  'T03 T04 T11: links out of the tree, device 0:0 and overlay attributes never act on the host or the overlay',
  options,
  async () => {
    await using place = await prepared()
    const { bale } = place
    const canary = join(bale.directory, 'canary')
    writeFileSync(canary, 'untouched')
    const through = await tarOf([
      tarEntry('link', { type: 'symlink', linkName: bale.directory }),
      { entry: tarEntry('link/canary'), text: 'overwritten' },
    ])
    const outcome = await bale.try(['import', '-', 'through:1'], { input: through })
    assert.equal(readFileSync(canary, 'utf8'), 'untouched')
    if (outcome.code !== 0) assertRefused(outcome, 1, /link/)
    const device = await tarOf([tarEntry('gone', { type: 'character', deviceMajor: 0, deviceMinor: 0 })])
    assertRefused(await bale.try(['import', '-', 'device:1'], { input: device }), 1, /gone/)
    const marked = await tarOf([
      tarEntry('dir/', {
        type: 'directory',
        mode: 0o755,
        xattrs: new Map([['trusted.overlay.opaque', Buffer.from('y')]]),
      }),
    ])
    const attribute = await bale.try(['import', '-', 'marked:1'], { input: marked })
    if (attribute.code !== 0) assertRefused(attribute, 1, /overlay/)
  },
)

test(
  'M01 M02 M03 M04 M05: documents and layers of a registry that do not fit are refused by pull',
  options,
  async () => {
    await using bale = await testBale()
    await using registry = await scriptedRegistry()
    const tar = await tarOf([{ entry: tarEntry('file'), text: 'hello' }])
    const other = await tarOf([{ entry: tarEntry('file'), text: 'other' }])
    const manifestType = 'application/vnd.oci.image.manifest.v1+json'
    publish(registry, 'diff', {
      tars: [tar],
      config: (config) => Object.assign(config, { rootfs: { type: 'layers', diff_ids: [`sha256:${'1'.repeat(64)}`] } }),
    })
    publish(registry, 'count', {
      tars: [tar],
      config: (config) => Object.assign(config, { rootfs: { type: 'layers', diff_ids: [] } }),
    })
    publish(registry, 'both', { tars: [tar], manifest: (manifest) => Object.assign(manifest, { manifests: [] }) })
    publish(registry, 'size', {
      tars: [other],
      manifest: (manifest) => {
        const [layer] = manifest['layers'] as { size: number }[]
        layer!.size += 5
      },
    })
    publishDocument(
      registry,
      'twice',
      Buffer.from(`{"schemaVersion":2,"schemaVersion":2,"mediaType":"${manifestType}"}`),
      manifestType,
    )
    publishDocument(registry, 'large', Buffer.from(`{"schemaVersion":2,"x":"${'x'.repeat(5 << 20)}"}`), manifestType)
    publishDocument(registry, 'html', Buffer.from('<html>sign in</html>'), 'text/html')
    const words: Record<string, RegExp> = {
      diff: /diff|digest/i,
      count: /layers|diff/i,
      both: /manifest and an index at once/,
      size: /size|bytes|short|length/i,
      twice: /twice|duplicate/i,
      large: /4 MiB|larger|limit/i,
      html: /HTML|media type|content type|JSON/i,
    }
    for (const [tag, pattern] of Object.entries(words)) {
      assertRefused(await bale.try(['pull', `${registry.host}/bad:${tag}`]), 1, pattern, tag)
    }
    // A layer that has other bytes than its digest says.
    publish(registry, 'digest', { tars: [await tarOf([{ entry: tarEntry('file'), text: 'third' }])] })
    for (const [digest, bytes] of registry.blobs) {
      if (bytes[0] === 0x1f)
        registry.blobs.set(digest, Buffer.from(bytes).fill(0x42, bytes.length - 12, bytes.length - 8))
    }
    assertRefused(await bale.try(['pull', `${registry.host}/bad:digest`]), 1, /digest|gzip|damaged/i, 'digest')
    await assertUntouched(bale)
  },
)

test('no matching platform: the message names the available platforms', options, async () => {
  await using bale = await testBale()
  await using registry = await scriptedRegistry()
  const tar = await tarOf([{ entry: tarEntry('file'), text: 'hello' }])
  const digest = publish(registry, 's390x', {
    tars: [tar],
    config: (config) => Object.assign(config, { architecture: 's390x' }),
  })
  const size = registry.manifests.get(digest)!.bytes.length
  const indexType = 'application/vnd.oci.image.index.v1+json'
  const index = {
    schemaVersion: 2,
    mediaType: indexType,
    manifests: [
      {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest,
        size,
        platform: { os: 'linux', architecture: 's390x' },
      },
    ],
  }
  publishDocument(registry, 'index', Buffer.from(JSON.stringify(index)), indexType)
  assertRefused(await bale.try(['pull', `${registry.host}/multi:index`]), 1, /no matching manifest.*linux\/s390x/s)
})

test('C02 C11: a registry that is down, answers 500, 429 or HTML, or redirects elsewhere', options, async () => {
  await using bale = await testBale()
  await using registry = await scriptedRegistry()
  await using elsewhere = await scriptedRegistry()
  assertRefused(await bale.try(['pull', '127.0.0.1:1/x:1']), 1, /127\.0\.0\.1:1/)
  for (const [status, words] of [
    [500, /500/],
    [429, /retry later/],
  ] as const) {
    registry.intercept = (_request, response) => {
      response.writeHead(status, { 'retry-after': '0' }).end('{"errors":[{"code":"UNKNOWN","message":"not now"}]}')
      return true
    }
    assertRefused(await bale.try(['pull', `${registry.host}/x:1`]), 1, words)
  }
  registry.intercept = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html><body>Welcome</body></html>')
    return true
  }
  assertRefused(await bale.try(['pull', `${registry.host}/x:1`]), 1, /HTML|JSON|registry/i)
  // A blob that lies elsewhere is fetched there, but the login stays here.
  const tar = await tarOf([{ entry: tarEntry('file'), text: 'hello' }])
  publish(registry, 'ok', { tars: [tar] })
  for (const [digest, bytes] of registry.blobs) elsewhere.blobs.set(digest, bytes)
  mkdirSync(join(bale.directory, 'docker'), { recursive: true })
  const auth = Buffer.from('ann:secret-word').toString('base64')
  writeFileSync(join(bale.directory, 'docker/config.json'), JSON.stringify({ auths: { [registry.host]: { auth } } }))
  registry.intercept = (request, response) => {
    if (request.headers.authorization === undefined) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="here"' }).end()
      return true
    }
    if (!request.url?.includes('/blobs/')) return false
    response.writeHead(307, { location: `http://${elsewhere.host}${request.url}` }).end()
    return true
  }
  await bale.run(['pull', '-q', `${registry.host}/x:ok`])
  assert.ok(elsewhere.requests.length > 0)
  assert.deepEqual(
    elsewhere.requests.filter((request) => request.authorization !== undefined),
    [],
  )
  assert.ok(registry.requests.some((request) => request.authorization === `Basic ${auth}`))
})

test('a full disk: NO_SPACE in words, nothing visible that is not complete', options, async () => {
  await using place = await prepared()
  await using bale = await testBale()
  const root = join(bale.directory, 'root')
  mkdirSync(root)
  assert.equal((await execute('mount', ['-t', 'tmpfs', '-o', 'size=1500k', 'bale-test', root])).code, 0)
  assertRefused(await bale.try(['import', place.tar, 'full:1']), 1, /disk is full|no space/i)
  assert.equal((await bale.try(['images', '-aq'])).stdout, '')
  assert.equal((await execute('umount', [root])).code, 0)
})

test(
  'kill -9 in the middle of pull, load, build and commit: the next command works, prune and check leave it clean',
  options,
  async () => {
    await using place = await prepared()
    const { bale } = place
    await using registry = await scriptedRegistry()
    const big = await tarOf(
      Array.from({ length: 300 }, (_, index) => ({ entry: tarEntry(`f${index}`), text: `${index}`.repeat(20_000) })),
    )
    publish(registry, '1', { tars: [big] })
    // The second half of the layer never arrives, so the kill comes in its middle.
    let isHalf = false
    registry.intercept = (request, response) => {
      const blob =
        request.method === 'GET' &&
        [...registry.blobs].find(([digest]) => request.url?.endsWith(`/blobs/${digest}`))?.[1]
      if (!blob || blob.length < 10_000) return false
      response.writeHead(200, { 'content-length': blob.length })
      response.write(blob.subarray(0, blob.length >> 1), () => {
        isHalf = true
      })
      return true
    }
    writeFileSync(join(bale.directory, 'big.tar'), big)
    await bale.run(['import', join(bale.directory, 'big.tar'), 'big:1'])
    await bale.run(['save', '-o', join(bale.directory, 'saved.tar'), 'big:1'])
    await bale.run(['rmi', 'big:1'])
    const context = join(bale.directory, 'context')
    mkdirSync(context)
    writeFileSync(join(context, 'big'), big)
    writeFileSync(join(context, 'Dockerfile'), 'FROM busybox:1\nCOPY big /big\nRUN sleep 1\n')
    await bale.run(['run', '--name', 'changed', 'busybox:1', 'sh', '-c', 'seq 1 400000 > /data'])
    const image = `${registry.host}/killed:1`
    const temporary = () => readdirSync(join(bale.directory, 'root/tmp')).join()
    const isWriting = () => {
      const before = temporary()
      return () => temporary() !== before
    }
    const victims: [string[], () => Killing['when']][] = [
      [['pull', '-q', image], () => () => isHalf],
      [['load', '-q', '-i', join(bale.directory, 'saved.tar')], isWriting],
      [['build', '-t', 'killed:build', context], () => (output) => output.includes('RUN sleep 1')],
      [['commit', 'changed', 'killed:commit'], isWriting],
    ]
    for (const [args, when] of victims) {
      await killed(bale, args, { when: when() })
      assert.equal(
        (await bale.try(['run', '--rm', 'busybox:1', 'echo', 'works'])).stdout,
        'works\n',
        `after a kill of ${args[0]}`,
      )
    }
    registry.intercept = undefined
    await bale.run(['pull', '-q', image])
    await bale.run(['load', '-q', '-i', join(bale.directory, 'saved.tar')])
    await bale.run(['build', '-q', '-t', 'killed:build', context])
    await bale.run(['commit', 'changed', 'killed:commit'])
    await bale.run(['system', 'prune', '-f'])
    assert.match(await bale.run(['system', 'check']), /no damage/i)
  },
)

test('two pulls of one image at once share the work, and both succeed', options, async () => {
  await using bale = await testBale()
  await using registry = await scriptedRegistry()
  const tar = await tarOf(
    Array.from({ length: 200 }, (_, index) => ({ entry: tarEntry(`f${index}`), text: `${index}`.repeat(9_000) })),
  )
  publish(registry, '1', { tars: [tar] })
  const [layer] = [...registry.blobs].filter(([, bytes]) => bytes[0] === 0x1f)
  registry.intercept = (request, response) => {
    if (request.method !== 'GET' || !request.url?.endsWith(layer![0])) return false
    response.writeHead(200, { 'content-length': layer![1].length })
    // Not before the other one also knows what to ask for, and a moment later, in which it could.
    const known = () => registry.requests.filter(({ url }) => url.includes('/manifests/')).length >= 2
    until('both know the layers', known).then(() => setTimeout(() => response.end(layer![1]), 1000).unref())
    return true
  }
  const both = await Promise.all([1, 2].map(() => bale.try(['pull', '-q', `${registry.host}/shared:1`])))
  assert.deepEqual(
    both.map((outcome) => outcome.code),
    [0, 0],
    both.map((outcome) => outcome.stderr).join(),
  )
  const fetched = registry.requests.filter((request) => request.method === 'GET' && request.url.endsWith(layer![0]))
  assert.equal(fetched.length, 1)
  assert.match(await bale.run(['system', 'check']), /no damage/i)
})

test('rmi of an image in use, a name in use, an archive that is missing', options, async () => {
  await using place = await prepared()
  const { bale } = place
  await bale.run(['run', '-d', '--name', 'user', 'busybox:1', 'sleep', '1000'])
  assertRefused(await bale.try(['rmi', 'busybox:1']), 1, /container|in use|conflict/i)
  const id = await bale.run(['image', 'inspect', 'busybox:1', '--format', '{{.Id}}'])
  assertRefused(await bale.try(['rmi', '-f', id]), 1, /running container/i)
  assertRefused(await bale.try(['run', '--name', 'user', 'busybox:1', 'true']), 125, /already in use/)
  assertRefused(await bale.try(['load', '-i', join(bale.directory, 'none.tar')]), 1, /no such file/)
})

test(
  'a Dockerfile with a typo shows file, line and the instruction meant; a failing RUN its exit code and last lines',
  options,
  async () => {
    await using place = await prepared()
    const { bale } = place
    const context = join(bale.directory, 'context')
    mkdirSync(context)
    const build = (text: string) => {
      writeFileSync(join(context, 'Dockerfile'), text)
      return bale.try(['build', '-t', 'bad:1', context])
    }
    assertRefused(await build('FROM busybox:1\n\nRNU echo hi\n'), 1, /Dockerfile:3.*RNU[\s\S]*RUN/)
    assertRefused(await build('FROM busybox:1\nCOPY --nonsense=1 a b\n'), 1, /Dockerfile:2[\s\S]*nonsense/)
    const failing = await build('FROM busybox:1\nRUN echo the last words; exit 42\n')
    assertRefused(failing, 42, /42/)
    assert.match(failing.stderr + failing.stdout, /the last words/)
    assertRefused(await build('FROM busybox:1\nCOPY ../outside /x\n'), 1, /outside/)
    assert.equal(await bale.run(['images', '-q', 'bad']), '')
  },
)
