/**
 * Archives go from bale to docker, podman, skopeo and umoci and back: image IDs and trees stay the same.
 * Needs root; what is not installed is skipped by name.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { execute, type TestBale, testBale } from '../kit/bale.ts'
import { busyboxMissing } from '../kit/busybox.ts'
import { DOCKER_REGISTRY, dockerRegistry } from '../kit/registry.ts'
import { DOCKER_CLIENT, startDockerd, type TestDockerd } from './dockerd.ts'
import { type NameSpace, ownNameSpace } from './name-space.ts'
import { PODMAN, testPodman, writePolicy } from './podman.ts'
import { makeRichImage, RICH } from './rich-image.ts'
import { treeOf, treeOfExport } from './tree.ts'

const SKOPEO = '/usr/bin/skopeo'
const UMOCI = '/usr/bin/umoci'
const impossible = process.getuid?.() === 0 ? busyboxMissing() : 'needs root'
/** Why a test that needs these programs cannot run, or false. */
const without = (...programs: string[]): string | false => {
  const missing = programs.filter((program) => !existsSync(program))
  return impossible ?? (missing.length > 0 ? `needs ${missing.join(' and ')}` : false)
}

let bale: TestBale
let archive: string
let id: string
let tree: string[]

before(async () => {
  if (impossible) return
  bale = await testBale()
  await makeRichImage(bale)
  archive = join(bale.directory, 'rich.tar')
  await bale.run(['save', '-o', archive, RICH])
  id = await idOf(bale, RICH)
  tree = await treeIn(bale, RICH)
  assert.ok(tree.length > 250, `only ${tree.length} files`)
})

after(() => bale?.[Symbol.asyncDispose]())

test('docker load reads and runs what bale saves; bale load reads what docker saves', {
  skip: without(DOCKER_CLIENT, '/usr/sbin/dockerd'),
  timeout: 180_000,
}, async () => {
  await using docker = await dockerIn(join(bale.directory, 'docker'))
  assert.match(await docker.run(`load -i '${archive}'`), /^Loaded image: rich:1$/m)
  assert.equal(await docker.run(`image inspect --format '{{.Id}}' ${RICH}`), id)
  assert.equal(await docker.run(`run --rm --network none ${RICH}`), 'new')
  await docker.run(`create --name tree ${RICH}`)
  const exported = await treeOfExport(
    join(bale.directory, 'docker-tree'),
    docker.line('export tree'),
    docker.environment,
  )
  assert.deepEqual(exported, tree)

  const back = join(bale.directory, 'docker-back.tar')
  await docker.run(`save -o '${back}' ${RICH}`)
  await assertLoads(back, RICH, id, tree)

  // An image that docker made itself.
  await docker.run(`run --name made --network none ${RICH} sh -c 'rm -r /data/kept; echo docker > /data/docker'`)
  await docker.run(`commit -c 'ENV BY=docker' made made:1`)
  const made = join(bale.directory, 'docker-made.tar')
  await docker.run(`save -o '${made}' made:1`)
  const madeTree = await treeOfExport(
    join(bale.directory, 'docker-made-tree'),
    docker.line('export made'),
    docker.environment,
  )
  await assertLoads(made, 'made:1', await docker.run(`image inspect --format '{{.Id}}' made:1`), madeTree)
})

test('podman load reads and runs what bale saves; bale load reads what podman saves', {
  skip: without(PODMAN),
  timeout: 180_000,
}, async () => {
  const podman = testPodman(join(bale.directory, 'podman'))
  const policy = ['--signature-policy', writePolicy(bale.directory)]
  const name = `docker.io/library/${RICH}`
  await podman.run(['load', ...policy, '-i', archive])
  assert.equal(`sha256:${await podman.run(['image', 'inspect', '--format', '{{.Id}}', name])}`, id)
  assert.equal(await podman.run(['run', '--rm', '--network', 'none', name]), 'new')
  await podman.run(['create', '--network', 'none', '--name', 'tree', name])
  const exported = await treeOfExport(
    join(bale.directory, 'podman-tree'),
    `'${PODMAN}' export tree`,
    podman.environment,
  )
  assert.deepEqual(exported, tree)
  await podman.run(['run', '--name', 'made', '--network', 'none', name, 'sh', '-c', 'echo podman > /data/podman'])
  await podman.run(['commit', '-q', 'made', 'docker.io/library/made:1'])
  const madeTree = await treeOfExport(
    join(bale.directory, 'podman-made-tree'),
    `'${PODMAN}' export made`,
    podman.environment,
  )
  for (const format of ['docker-archive', 'oci-archive']) {
    const back = join(bale.directory, `podman-${format}.tar`)
    await podman.run(['save', ...policy, '-q', '--format', format, '-o', back, name])
    await assertLoads(back, RICH, id, tree)
    const made = join(bale.directory, `podman-made-${format}.tar`)
    await podman.run(['save', ...policy, '-q', '--format', format, '-o', made, 'docker.io/library/made:1'])
    // podman writes the config anew when it changes the format of an image, and with it the ID.
    const madeId =
      format === 'oci-archive' ? await podman.run(['image', 'inspect', '--format', '{{.Id}}', 'made:1']) : undefined
    await assertLoads(made, 'made:1', madeId && `sha256:${madeId}`, madeTree)
  }
  await podman.run(['rm', '-f', 'tree', 'made'])
})

test('bale load reads what skopeo makes of an archive, plain and compressed', {
  skip: without(SKOPEO),
  timeout: 180_000,
}, async () => {
  for (const [from, to, flags] of [
    ['docker-archive', 'docker-archive', []],
    ['docker-archive', 'oci-archive', ['--format', 'oci']],
    ['oci-archive', 'oci-archive', []],
    ['oci-archive', 'docker-archive', []],
    ['oci-archive', 'oci-archive', ['--dest-compress', '--dest-compress-format', 'gzip']],
  ] as const) {
    const target = join(bale.directory, `skopeo-${from}-${to}-${flags.length}.tar`)
    await skopeo(['copy', '-q', ...flags, `${from}:${archive}`, `${to}:${target}:docker.io/library/${RICH}`])
    await assertLoads(target, RICH, from === to ? id : undefined, tree)
  }
})

test('skopeo inspects and copies the layout that bale saves', { skip: without(SKOPEO) }, async () => {
  const layout = join(bale.directory, 'layout-dir')
  await bale.run(['save', '--format', 'oci-dir', '-o', layout, RICH])
  const config = await skopeo(['inspect', '--config', '--raw', `oci:${layout}:1`])
  assert.equal(`sha256:${createHash('sha256').update(config).digest('hex')}`, id)
  const copied = join(bale.directory, 'from-layout.tar')
  await skopeo(['copy', '-q', `oci:${layout}`, `docker-archive:${copied}:copied:1`])
  await bale.run(['load', '-q', '-i', copied])
  assert.equal(await idOf(bale, 'copied:1'), id)
})

test('umoci unpacks what bale saves to the tree that bale exports', {
  skip: without(SKOPEO, UMOCI),
  timeout: 120_000,
}, async () => {
  const layout = join(bale.directory, 'layout')
  await skopeo(['copy', '-q', `docker-archive:${archive}`, `oci:${layout}:rich`])
  assert.deepEqual(await umociTree(layout, 'umoci-saved'), tree)
})

test('umoci unpacks what bale pushes to the tree that bale exports', {
  skip: without(SKOPEO, UMOCI, DOCKER_REGISTRY),
  timeout: 120_000,
}, async () => {
  await using registry = await dockerRegistry(bale.directory)
  const name = `${registry.host}/team/${RICH}`
  await bale.run(['tag', RICH, name])
  await bale.run(['push', '-q', name])
  const layout = join(bale.directory, 'pushed-layout')
  await skopeo(['copy', '-q', '--src-tls-verify=false', `docker://${name}`, `oci:${layout}:rich`])
  assert.deepEqual(await umociTree(layout, 'umoci-pushed'), tree)
  const config = await execute(SKOPEO, ['inspect', '--config', '--raw', '--tls-verify=false', `docker://${name}`])
  const digest = await execute('sha256sum', [], { input: config.stdout })
  assert.equal(`sha256:${digest.stdout.slice(0, 64)}`, id)
  await bale.run(['rmi', name])
})

test('what bale pushes with zstd is read by bale, podman and skopeo, as OCI whatever it was', {
  skip: without(SKOPEO, PODMAN, DOCKER_REGISTRY),
  timeout: 180_000,
}, async () => {
  await using registry = await dockerRegistry(bale.directory)
  await using other = await testBale()
  await other.run(['load', '-q', '-i', archive])
  const name = `${registry.host}/zstd/${RICH}`
  await other.run(['tag', RICH, name])
  await other.run(['push', '-q', '--compression-format', 'zstd', name])
  const raw = await execute(SKOPEO, ['inspect', '--raw', '--tls-verify=false', `docker://${name}`])
  const { mediaType, config, layers } = JSON.parse(raw.stdout)
  assert.match(mediaType, /^application\/vnd\.oci\./)
  assert.equal(config.digest, id)
  for (const layer of layers) assert.match(layer.mediaType, /\+zstd$/)
  await using reader = await testBale()
  await reader.run(['pull', '-q', name])
  assert.equal(await idOf(reader, name), id)
  assert.deepEqual(await treeIn(reader, name), tree)
  const podman = testPodman(join(bale.directory, 'podman-zstd'))
  const policy = ['--signature-policy', writePolicy(bale.directory)]
  await podman.run(['pull', ...policy, '-q', '--tls-verify=false', name])
  assert.equal(await podman.run(['image', 'inspect', '--format', '{{.Id}}', name]), id.slice('sha256:'.length))
  await podman.run(['rmi', name])
  // Pushed again, there is nothing to do.
  assert.match(await other.run(['push', '--compression-format', 'zstd', name]), /Layer already exists/)
  const refused = await other.try(['push', '--compression-format', 'xz', name])
  assert.match(refused.stderr, /gzip, zstd/)
})

/** In an empty store: the archive's image has the ID (when one is given), the name and the tree, and runs. */
async function assertLoads(file: string, name: string, expected: string | undefined, files: string[]): Promise<void> {
  await using other = await testBale()
  assert.equal(await other.run(['load', '-i', file]), `Loaded image: ${name}`, file)
  if (expected !== undefined) assert.equal(await idOf(other, name), expected, file)
  assert.deepEqual(await treeIn(other, name), files, file)
  assert.equal(await other.run(['run', '--rm', '--network', 'none', name, 'cat', '/data/remade/file']), 'new', file)
}

function idOf(where: TestBale, name: string): Promise<string> {
  return where.run(['image', 'inspect', '--format', '{{.Id}}', name])
}

async function treeIn(where: TestBale, name: string): Promise<string[]> {
  const container = await where.run(['create', '--network', 'none', name])
  const program = join(import.meta.dirname, '../../bin/bale')
  const directory = join(where.directory, `tree-${container.slice(0, 12)}`)
  const found = await treeOfExport(directory, `'${program}' export ${container}`, where.environment)
  await where.run(['rm', container])
  return found
}

async function skopeo(args: readonly string[]): Promise<string> {
  const outcome = await execute(SKOPEO, ['--policy', writePolicy(bale.directory), ...args])
  assert.equal(outcome.code, 0, `skopeo ${args.join(' ')}: ${outcome.stderr}`)
  return outcome.stdout
}

async function umociTree(layout: string, name: string): Promise<string[]> {
  const bundle = join(bale.directory, name)
  const outcome = await execute(UMOCI, ['unpack', '--image', `${layout}:rich`, bundle])
  assert.equal(outcome.code, 0, outcome.stderr)
  return treeOf(join(bundle, 'rootfs'))
}

interface TestDocker extends AsyncDisposable {
  readonly environment: Record<string, string>
  /** A shell command line that runs `docker ARGS`. */
  line(args: string): string
  run(args: string): Promise<string>
}

async function dockerIn(directory: string): Promise<TestDocker> {
  await using stack = new AsyncDisposableStack()
  const place: NameSpace = stack.use(await ownNameSpace())
  const dockerd: TestDockerd = stack.use(await startDockerd(directory, place.enter))
  const held = stack.move()
  const environment = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: directory }
  const line = (args: string) => `'${DOCKER_CLIENT}' -H 'unix://${dockerd.socket}' ${args}`
  return {
    environment,
    line,
    async run(args) {
      const outcome = await execute('/bin/sh', ['-c', line(args)], { env: environment })
      assert.equal(outcome.code, 0, `docker ${args}: ${outcome.stderr}`)
      return outcome.stdout.trim()
    },
    [Symbol.asyncDispose]: () => held[Symbol.asyncDispose](),
  }
}
