/**
 * What a build says of its image: in the layout of BuildKit, read back from a registry by other programs, and where images are
 * written as archives or files.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { PODMAN, testPodman, writePolicy } from '../interop/podman.ts'
import { execute, type TestBale, testBale } from '../kit/bale.ts'
import { baleRegistry } from '../kit/registry.ts'
import { cannotRun, prepared } from './prepared.ts'

const options = { skip: cannotRun }
const password = 'correct-horse-battery'

const DPKG_STATUS = `Package: libexample1
Status: install ok installed
Architecture: amd64
Version: 1.2-3
Source: example
Maintainer: Ann <ann@debian.example>
Description: a library

`

const FILES = {
  Dockerfile: `FROM busybox:1 AS tools
RUN --mount=type=secret,id=login cat /run/secrets/login > /dev/null; echo made > /made
FROM busybox:1
ARG TOKEN
COPY --from=tools /made /srv/made
COPY files /
CMD ["cat", "/srv/made"]
`,
  'files/etc/os-release': 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n',
  'files/var/lib/dpkg/status': DPKG_STATUS,
  'files/srv/node_modules/left-pad/package.json': '{"name":"left-pad","version":"1.3.0","license":"WTFPL"}',
}

const SECRETS = ['--secret', 'id=login,src=login', '--build-arg', 'TOKEN=t0ken-value']

/** A context in the directory of a bale, which has the secret beside it. */
function context({ directory }: TestBale, changes: Partial<typeof FILES> = {}): string {
  const place = join(directory, 'context')
  for (const [path, content] of Object.entries({ ...FILES, ...changes })) {
    mkdirSync(dirname(join(place, path)), { recursive: true })
    writeFileSync(join(place, path), content)
  }
  writeFileSync(join(directory, 'login'), 'the-secret-itself')
  return place
}

/** Builds without a network; the answer is what the metadata file says. */
async function build(bale: TestBale, place: string, ...flags: string[]) {
  const file = join(bale.directory, 'metadata.json')
  const words = ['build', '--network', 'none', ...SECRETS, '--metadata-file', file, ...flags, place]
  await bale.run(words, { cwd: bale.directory })
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>
}

/** Of the format that the kernel mounts; none where layers are extracted. */
function layerImages({ environment }: TestBale): string[] {
  const directory = join(environment['BALE_ROOT']!, 'layers-v1')
  const images = readdirSync(directory).map((name) => join(directory, name, 'layer.erofs'))
  return images.filter((path) => existsSync(path))
}

/** A document, whose form is what the test is about. */
type Json = ReturnType<typeof JSON.parse>

/** A directory in the form of an OCI image layout. */
function layout(directory: string) {
  const bytes = (digest: string) => readFileSync(join(directory, 'blobs', digest.replace(':', '/')))
  const json = (digest: string): Json => JSON.parse(bytes(digest).toString())
  const blobs = () => readdirSync(join(directory, 'blobs/sha256')).map((name) => bytes(`sha256:${name}`))
  return { json, blobs, index: (): Json => JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8')) }
}

/** The statements about the one image of an index, found as `docker buildx imagetools inspect` finds them. */
function statementsOf(place: ReturnType<typeof layout>, index: string) {
  const images = new Map<string, string>()
  const about = new Map<string, string>()
  for (const { digest, annotations, platform } of place.json(index)['manifests']) {
    const subject = annotations?.['vnd.docker.reference.digest']
    if (subject === undefined) images.set(`${platform.os}/${platform.architecture}`, digest)
    else about.set(subject, digest)
  }
  const [[platform, image] = [], ...others] = images
  assert.deepEqual(others, [])
  const { layers } = place.json(about.get(image!)!)
  const statements = new Map<string, Json>()
  for (const { mediaType, digest, annotations } of layers) {
    if (mediaType !== 'application/vnd.in-toto+json') continue
    const statement = place.json(digest)
    assert.equal(statement['predicateType'], annotations['in-toto.io/predicate-type'])
    statements.set(statement['predicateType'], statement)
  }
  return { platform, image: image!, statements }
}

const SPDX = 'https://spdx.dev/Document'
const SLSA02 = 'https://slsa.dev/provenance/v0.2'

const insecure = ['--src-tls-verify=false', '--src-creds', `ann:${password}`]

async function skopeo(...args: string[]): Promise<string> {
  const outcome = await execute('skopeo', args)
  assert.equal(outcome.code, 0, outcome.stderr)
  return outcome.stdout
}

test('a registry gets the image with its packages and its origin; others read, pull and run it', options, async (t) => {
  await using place = await prepared()
  const { bale } = place
  await using registry = await baleRegistry(bale)
  const login = (one: TestBale) =>
    one.run(['login', '-u', 'ann', '--password-stdin', registry.host], { input: password })
  await login(bale)
  const base = `${registry.host}/team/base:1`
  await bale.run(['tag', 'busybox:1', `${base}-amd64`])
  await bale.run(['push', '-q', `${base}-amd64`])
  await bale.run(['manifest', 'create', base, `${base}-amd64`])
  await bale.run(['manifest', 'push', base])
  const access = ['--tls-verify=false', '--creds', `ann:${password}`]
  const baseIndex = (await skopeo('inspect', ...access, '--format', '{{.Digest}}', `docker://${base}`)).trim()

  await using builder = await testBale()
  await login(builder)
  const name = `${registry.host}/team/web:1`
  const made = context(builder, { Dockerfile: FILES.Dockerfile.replaceAll('busybox:1', base) })
  const said = await build(builder, made, '-t', name, '--sbom=true', '--provenance=mode=min')
  const index = said['containerimage.digest']!
  assert.match(await builder.run(['push', name]), new RegExp(`digest: ${index} `), 'nothing of it is made again')

  const copied = join(bale.directory, 'copied')
  await skopeo('copy', '-q', '--all', ...insecure, `docker://${name}`, `oci:${copied}:1`)
  const there = layout(copied)
  assert.equal(there.index()['manifests'][0].digest, index)
  const { platform, image, statements } = statementsOf(there, index)
  assert.deepEqual([platform, [...statements.keys()]], ['linux/amd64', [SPDX, SLSA02]])
  const subject = [
    {
      name: `pkg:docker/${registry.host}/team/web@1?platform=linux%2Famd64`,
      digest: { sha256: image.slice('sha256:'.length) },
    },
  ]
  for (const statement of statements.values()) assert.deepEqual(statement['subject'], subject)
  const { packages } = statements.get(SPDX)!['predicate']
  const purls: string[] = packages.map((one: Json) => one.externalRefs?.[0]?.referenceLocator ?? '')
  for (const begin of ['pkg:npm/left-pad@1.3.0', 'pkg:deb/debian/libexample1@1.2-3?'])
    assert.ok(
      purls.some((purl) => purl.startsWith(begin)),
      purls.join(),
    )
  const { materials, metadata } = statements.get(SLSA02)!['predicate']
  assert.deepEqual(materials, [
    {
      uri: `pkg:docker/${registry.host}/team/base@1?platform=linux%2Famd64`,
      digest: { sha256: baseIndex.slice('sha256:'.length) },
    },
  ])
  assert.deepEqual(metadata.completeness, { parameters: false, environment: true, materials: false })
  const text = JSON.stringify([...statements])
  for (const word of ['TOKEN', 't0ken-value', 'login', builder.directory]) assert.ok(!text.includes(word), word)

  await using fresh = await testBale()
  await login(fresh)
  await fresh.run(['pull', '-q', name])
  assert.equal(await fresh.run(['run', '--rm', '--network', 'none', name]), 'made')
  await t.test('by podman', { skip: existsSync(PODMAN) ? false : 'podman is not installed' }, async () => {
    const podman = testPodman(join(bale.directory, 'podman'))
    await podman.run(['pull', '-q', '--signature-policy', writePolicy(bale.directory), ...access, name])
    assert.equal(await podman.run(['run', '--rm', '--network', 'none', name]), 'made')
  })
  const hasBuildx = (await execute('docker', ['buildx', 'version']).catch(() => undefined))?.code === 0
  await t.test('by docker buildx', { skip: hasBuildx ? false : 'docker buildx is not installed' }, async () => {
    const env = { ...bale.environment, DOCKER_CONFIG: builder.environment['DOCKER_CONFIG']! }
    const seen = async (member: string) => {
      const words = ['buildx', 'imagetools', 'inspect', name, '--format', `{{json .${member}}}`]
      return JSON.parse((await execute('docker', words, { env })).stdout) as Json
    }
    assert.deepEqual((await seen('SBOM'))['SPDX'], statements.get(SPDX)!['predicate'])
    assert.deepEqual((await seen('Provenance'))['SLSA'], statements.get(SLSA02)!['predicate'])
  })
})

test('an image with attestations is an image like any other to each verb, and goes as a whole', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const blobs = () => readdirSync(join(bale.environment['BALE_ROOT']!, 'blobs/sha256')).sort()
  const before = blobs()
  const said = await build(
    bale,
    context(bale),
    '-t',
    'web:1',
    '-t',
    'web:2',
    '--attest=type=sbom',
    '--attest=type=provenance',
  )
  const id = said['containerimage.config.digest']!
  assert.equal(await bale.run(['image', 'inspect', '--format', '{{.Id}}', 'web:1']), id)
  const listed = await bale.run(['images', '--no-trunc', '--format', '{{.Repository}}:{{.Tag}} {{.ID}}', 'web'])
  assert.deepEqual(listed.split('\n').sort(), [`web:1 ${id}`, `web:2 ${id}`])
  assert.equal(await bale.run(['run', '--rm', '--network', 'none', 'web:1']), 'made')
  const shown = JSON.parse(await bale.run(['manifest', 'inspect', 'web:1']))
  assert.deepEqual(
    shown.manifests.map(({ platform }: Json) => `${platform['os']}/${platform['architecture']}`),
    ['linux/amd64', 'unknown/unknown'],
  )
  // The same image again, with another account of how it came to be; what nothing names any more goes with the image.
  for (let times = 0; times < 2; times++) {
    const again = await build(bale, context(bale), '-t', 'web:1', '--provenance=true')
    assert.equal(again['containerimage.config.digest'], id)
    assert.notEqual(again['containerimage.digest'], said['containerimage.digest'])
  }
  const archive = join(bale.directory, 'saved.tar')
  await bale.run(['save', '-o', archive, 'web:1'])
  await using other = await testBale()
  assert.match(await other.run(['load', '-i', archive]), /Loaded image: web:1/)
  assert.equal(await other.run(['image', 'inspect', '--format', '{{.Id}}', 'web:1']), id)
  const onTop = join(bale.directory, 'on-top')
  mkdirSync(onTop)
  writeFileSync(join(onTop, 'Dockerfile'), 'FROM web:1\nLABEL more=yes\n')
  await bale.run(['build', '-q', '-t', 'more:1', onTop])
  assert.equal(await bale.run(['run', '--rm', '--network', 'none', 'more:1']), 'made')

  await bale.run(['rmi', 'more:1'])
  await bale.run(['system', 'prune', '-f'])
  assert.equal(await bale.run(['run', '--rm', '--network', 'none', 'web:2']), 'made', 'what is in use stays')
  assert.equal(JSON.parse(await bale.run(['manifest', 'inspect', 'web:2'])).manifests.length, 2)
  assert.match(await bale.run(['rmi', 'web:1', 'web:2']), new RegExp(`Deleted: ${id}`))
  assert.deepEqual(blobs(), before)
})

test('archives, layouts and files: what is said of the image is with it, and no image stays', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const made = context(bale)
  const directory = join(bale.directory, 'layout')
  const archive = join(bale.directory, 'web.tar')
  const files = join(bale.directory, 'files')
  const tar = join(bale.directory, 'files.tar')
  const outputs = [`type=oci,tar=false,dest=${directory}`, `type=oci,dest=${archive}`, files, `type=tar,dest=${tar}`]
  const said = await build(
    bale,
    made,
    ...['-t', 'web:1', '--sbom=true', '--provenance=version=v1,filename=origin.json'],
    ...outputs.flatMap((output) => ['-o', output]),
  )
  assert.equal((await bale.run(['images', '-q'])).split('\n').length, 1)
  const index = said['containerimage.digest']!
  const there = layout(directory)
  assert.equal(there.index()['manifests'][0].digest, index)
  const { image, statements } = statementsOf(there, index)
  assert.deepEqual([...statements.keys()], [SPDX, 'https://slsa.dev/provenance/v1'])
  const { request } = statements.get('https://slsa.dev/provenance/v1')!['predicate'].buildDefinition.externalParameters
  assert.equal(request.args['build-arg:TOKEN'], 't0ken-value', 'without a mode it is max')
  assert.deepEqual(request.secrets, [{ id: 'login', optional: true }])
  for (const blob of there.blobs()) assert.ok(!blob.includes('the-secret-itself'))

  const inspected = JSON.parse(await skopeo('inspect', `oci-archive:${archive}`))
  assert.deepEqual(
    inspected.Layers,
    there.json(image)['layers'].map(({ digest }: Json) => digest),
  )
  await using other = await testBale()
  await other.run(['load', '-i', archive])
  assert.equal(await other.run(['run', '--rm', '--network', 'none', 'web:1']), 'made')

  const written = (name: string): Json => JSON.parse(readFileSync(join(files, name), 'utf8'))
  const origin = written('origin.json')
  assert.equal(origin['predicateType'], 'https://slsa.dev/provenance/v1')
  assert.deepEqual(written('sbom.spdx.json')['subject'], origin['subject'])
  const { stdout } = await execute('sha256sum', ['srv/made', 'bin/busybox'], { cwd: files })
  for (const line of stdout.trim().split('\n')) {
    const [sha256, name] = line.split('  ')
    assert.ok(
      origin['subject'].some((one: Json) => one['name'] === name && one['digest'].sha256 === sha256),
      name,
    )
  }
  const listed = (await execute('tar', ['-tf', tar])).stdout.trim().split('\n')
  assert.deepEqual(listed.slice(-2), ['sbom.spdx.json', 'origin.json'])
})

test('with SOURCE_DATE_EPOCH the same build has the same index, in another store too', options, async () => {
  const digests = new Set<string>()
  for (let stores = 0; stores < 2; stores++) {
    await using place = await prepared()
    const { bale } = place
    bale.environment['SOURCE_DATE_EPOCH'] = '1700000000'
    const flags = ['-t', 'web:1', '--sbom=true', '--provenance=true']
    // The second time all steps are in the cache.
    for (let builds = 0; builds < 2; builds++) {
      const said = await build(bale, context(bale), ...flags)
      digests.add(said['containerimage.digest']!)
    }
  }
  assert.equal(digests.size, 1, [...digests].join())
})

test('nothing is said unasked, and what cannot be done is refused before the build', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const made = context(bale)
  for (const flags of [[], ['--provenance=false', '--sbom', 'false'], ['--attest', 'type=sbom,disabled=true']]) {
    const said = await build(bale, made, '-t', 'web:1', ...flags)
    assert.equal(
      (said['containerimage.descriptor'] as unknown as Json)['mediaType'],
      'application/vnd.oci.image.manifest.v1+json',
    )
  }
  const archive = join(bale.directory, 'docker.tar')
  const refused = async (...flags: string[]) => (await bale.try(['build', ...flags, made])).stderr
  assert.match(
    await refused('--sbom=true', '-o', `type=docker,dest=${archive}`),
    /cannot hold attestations\nhint: an OCI archive can: type=oci/,
  )
  assert.equal(existsSync(archive), false)
  assert.match(await refused('--attest=type=vex'), /unknown attestation type "vex"/)
  assert.match(await refused('--provenance=mode=all'), /invalid mode "all"/)
  assert.match(await refused('--sbom=generator=some/scanner', '--check'), /the generator some\/scanner is not run/)
})

test(
  'when the attestations cannot be made, the build fails, and neither an image nor a name is left',
  options,
  async (t) => {
    await using place = await prepared()
    const { bale } = place
    const words = (name: string) => ['build', '--network', 'none', ...SECRETS, '-t', name, context(bale)]
    await bale.run(words('before:1'), { cwd: bale.directory })
    const images = await bale.run(['images', '-a', '-q'])
    // No package of a damaged layer can be listed. The build itself has all its steps already.
    const layers = layerImages(bale)
    if (layers.length === 0) return t.skip('layers are extracted here')
    for (const layer of layers) {
      const bytes = readFileSync(layer)
      for (let at = bytes.indexOf('zcat'); at >= 0; at = bytes.indexOf('zcat', at)) bytes.write('zca/', at)
      writeFileSync(layer, bytes)
    }
    const { code, stderr } = await bale.try([...words('web:1'), '--sbom=true'], { cwd: bale.directory })
    assert.equal(code, 1, stderr)
    assert.match(stderr, /making the attestations of the image\n(?:.*\n)*#\d+ ERROR/)
    assert.equal(await bale.run(['images', '-a', '-q']), images)
    assert.equal((await bale.try(['image', 'exists', 'web:1'])).code, 1)
  },
)
