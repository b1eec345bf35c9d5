import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { BuildMachine, BuildOptions, BuiltImage, RecordedStep } from '#build'
import { imageName, MediaType, parseDigest, parseReference, withDigest } from '#spec'
import { accountingMachine, type BuildAccount } from './build-account.ts'
import { provenanceFacts } from './provenance-facts.ts'

const digest = (digit: string) => parseDigest(`sha256:${digit.repeat(64)}`)
const platform = { os: 'linux', architecture: 'amd64' }
const origin = { file: 'Dockerfile', line: 1, column: 1, text: '' }
const layer = (digit: string) => ({ mediaType: MediaType.ociLayerGzip, digest: digest(digit), size: 7 })

type Node = RecordedStep['node']
type NodeOf<Operation extends Node['operation']> = Extract<Node, { operation: Operation }>

/** A node of a graph, as the planner makes them; `layers` as in `1 2`. */
function step(node: Partial<Node> & Pick<Node, 'id' | 'operation'>, layers?: string): RecordedStep {
  const whole = { inputs: [], definition: {}, platform, label: node.id, name: node.id, origin, ...node } as Node
  const lines = node.operation === 'run' ? { first: 4, last: 6 } : undefined
  return { node: whole, layers: layers?.split(' ').filter(Boolean).map(digest), lines }
}

const run = (definition: Partial<NodeOf<'run'>['definition']>): NodeOf<'run'>['definition'] => ({
  args: ['/bin/sh', '-c', 'make'],
  env: ['PATH=/bin'],
  cwd: '/srv',
  user: '',
  network: 'bridge',
  insecure: false,
  mounts: [],
  ...definition,
})

const mount = (
  option: Partial<NodeOf<'run'>['definition']['mounts'][number]['option']> & { type: 'secret' },
): NodeOf<'run'>['definition']['mounts'][number] => ({
  option: { readOnly: true, sharing: 'shared', required: false, ...option } as never,
})

const copy = (definition: Partial<NodeOf<'copy'>['definition']>): NodeOf<'copy'>['definition'] => ({
  kind: 'COPY',
  sources: [],
  files: [],
  destination: { path: '/srv', isDirectory: true },
  excludes: [],
  link: false,
  parents: false,
  isFrom: false,
  ...definition,
})

const SECRET = mount({ type: 'secret', id: 'npm' })

const STEPS: RecordedStep[] = [
  step({ id: 'scratch', operation: 'scratch' }, ''),
  step({ id: 'image base', operation: 'image', definition: { reference: 'docker.io/library/base:1' } }, '1'),
  step({ id: 'context', operation: 'context', label: 'the build context' }),
  step({ id: 'context lib', operation: 'context', definition: { place: '/home/ann/secret-project/lib' } }),
  step(
    {
      id: '0.2',
      operation: 'run',
      inputs: ['image base', 'context lib'],
      definition: run({ mounts: [SECRET, { ...mount({ type: 'bind', target: 'lib' } as never), input: 0 }] }),
    },
    '1 8',
  ),
  step({ id: '0', operation: 'stage', inputs: ['0.2'] }, '1 8'),
  step({ id: '1.2', operation: 'workdir', inputs: ['image base'], definition: { directory: '/srv', user: '' } }, '1 2'),
  step(
    {
      id: '1.3',
      operation: 'copy',
      inputs: ['1.2', '0'],
      definition: copy({ sources: ['/made', '/more'], chown: 'ann:10', chmod: '640', isFrom: true }),
    },
    '1 2 3',
  ),
  step(
    {
      id: '1.4',
      operation: 'copy',
      inputs: ['1.3', 'context'],
      definition: copy({
        kind: 'ADD',
        sources: ['https://ann:pass@example.com/a.tar', 'b.tar'],
        files: [{ name: 'note', content: 'text' }],
        checksum: digest('c'),
      }),
    },
    '1 2 3 4',
  ),
  step(
    {
      id: '1.5',
      operation: 'run',
      inputs: ['1.4'],
      definition: run({
        network: 'none',
        insecure: true,
        user: 'ann',
        mounts: [
          mount({ type: 'secret', id: 'npm', required: true }),
          mount({ type: 'secret', id: 'key', env: 'KEY' }),
        ],
      }),
    },
    '1 2 3 4 5',
  ),
  step({ id: '1', operation: 'stage', inputs: ['1.5'] }, '1 2 3 4 5'),
]

const ASKED: BuildOptions = {
  context: { kind: 'directory', path: '/home/ann/secret-project' },
  buildArguments: new Map([['TOKEN', 't0k']]),
  labels: { owner: 'ann' },
  target: 'web',
  noCacheStages: ['a', 'b'],
  network: 'none',
  hosts: ['db:10.0.0.1', 'cache:10.0.0.2'],
  shmSize: 1024,
  buildContexts: new Map([
    ['lib', '/home/ann/secret-project/lib'],
    ['tool', 'docker-image://tool:1'],
    ['layout', 'oci-layout:///home/ann/secret-project/layout:1'],
    ['files', 'https://ann:pass@example.com/files.tar'],
  ]),
  sourceDateEpoch: 1_700_000_000,
}

type Image = NonNullable<ReturnType<BuildAccount['image']>>

const image = (members: Partial<Image> = {}): Image =>
  ({ id: digest('e'), descriptor: layer('f'), names: [], repoDigests: [], ...members }) as unknown as Image

interface World {
  steps?: readonly RecordedStep[]
  asked?: Partial<BuildOptions>
  image?: Image
  fetched?: Record<string, ReturnType<typeof digest>>
  epoch?: number
  dockerfile?: string
  /** Of the Dockerfile. */
  text?: string
}

function factsOf({ steps = STEPS, asked, image: found = image(), fetched = {}, epoch, dockerfile, text }: World = {}) {
  const record = {
    dockerfile: { name: dockerfile ?? '/home/ann/secret-project/Dockerfile', text: text ?? 'FROM base:1\n' },
    steps,
    sourceDateEpoch: epoch,
  }
  const config = { rootfs: { diff_ids: ['1', '2', '3', '4', '5'].map(digest) } }
  return provenanceFacts({
    built: { record, image: { config } } as unknown as BuiltImage,
    asked: { ...ASKED, ...asked },
    account: { image: () => found, fetched: (address) => fetched[address] },
    started: 1000,
    finished: 2000,
    platform,
    layers: ['a1', 'a2', 'a3', 'a4', 'a5'].map((name) => ({
      ...layer('0'),
      digest: parseDigest(`sha256:${name.padEnd(64, '0')}`),
    })),
  })
}

test('the steps in the words of LLB are those of the golden file', () => {
  const place = new URL('../../../test/golden/attestation/steps.json', import.meta.url)
  const written = JSON.stringify(factsOf().definition.steps, undefined, 2)
  if (process.env['UPDATE_GOLDEN']) writeFileSync(place, written)
  // Written again, since the file in the repository is formatted as all are.
  assert.equal(written, JSON.stringify(JSON.parse(readFileSync(place, 'utf8')), undefined, 2))
})

test("provenance has neither places on the caller's machine nor logins", () => {
  const text = JSON.stringify(factsOf())
  for (const word of ['secret-project', 'pass', '/home']) assert.ok(!text.includes(word), word)
})

test('logins in addresses are blanked wherever a build may have them', () => {
  const url = 'https://ann:pass@example.com/x'
  const steps = [
    step({ id: 'scratch', operation: 'scratch' }, ''),
    step(
      {
        id: '0.1',
        operation: 'run',
        inputs: ['scratch'],
        definition: run({ args: ['curl', url], env: [`FROM=${url}`] }),
      },
      '1',
    ),
  ]
  const facts = factsOf({
    steps,
    asked: { buildArguments: new Map([['FROM', url]]), labels: { from: url } },
    text: `FROM scratch\nRUN curl ${url}\n`,
  })
  assert.equal(JSON.stringify(facts).includes('ann:pass'), false)
  const blanked = 'https://***@example.com/x'
  const { args } = facts.request
  assert.deepEqual([args['build-arg:FROM'], args['label:from']], [blanked, blanked])
  const definition = JSON.stringify(facts.definition)
  for (const shown of [`"curl","${blanked}"`, `FROM=${blanked}`, `RUN curl ${blanked}`])
    assert.ok(definition.includes(shown), shown)
})

test('what was asked is told as docker’s client asks BuildKit', () => {
  const { request, source } = factsOf()
  assert.deepEqual(source, { path: 'Dockerfile' })
  assert.deepEqual(request, {
    args: {
      'build-arg:TOKEN': 't0k',
      'build-arg:SOURCE_DATE_EPOCH': '1700000000',
      'label:owner': 'ann',
      target: 'web',
      'no-cache': 'a,b',
      'force-network-mode': 'none',
      'add-hosts': 'db=10.0.0.1,cache=10.0.0.2',
      'shm-size': '1024',
      'context:lib': 'local:lib',
      'context:tool': 'docker-image://tool:1',
      'context:layout': 'oci-layout://layout',
      'context:files': 'https://***@example.com/files.tar',
    },
    secrets: [
      { id: 'key', optional: true },
      { id: 'npm', optional: false },
    ],
    ssh: [],
    locals: ['context', 'dockerfile', 'lib'],
  })
  assert.deepEqual(factsOf({ asked: { noCache: true } }).request.args['no-cache'], '')
})

test('a context that no step reads is no source: ADD of an address, COPY of a heredoc', () => {
  const only = (definition: Partial<NodeOf<'copy'>['definition']>) => [
    step({ id: 'scratch', operation: 'scratch' }, ''),
    step({ id: 'context', operation: 'context' }),
    step({ id: '0.1', operation: 'copy', inputs: ['scratch', 'context'], definition: copy(definition) }, '1'),
  ]
  const url = only({ kind: 'ADD', sources: ['https://example.com/a'] })
  const heredoc = only({ files: [{ name: 'note', content: 'text' }] })
  for (const steps of [url, heredoc]) {
    const { request, definition } = factsOf({ steps })
    assert.deepEqual(request.locals, ['dockerfile'])
    assert.ok(!JSON.stringify(definition).includes('local://context'))
  }
})

describe('materials', () => {
  const named = (reference: string, found: Image) =>
    factsOf({ steps: [step({ id: 'image x', operation: 'image', definition: { reference } }, '1')], image: found })
      .materials[0]

  test('an image has the digest that its repository has for it, when there is one', () => {
    const reference = parseReference('base:1')
    const repoDigest = (name: string, digit: string) => withDigest(parseReference(name), digest(digit))
    const known = image({ repoDigests: [repoDigest('base', '7'), repoDigest('elsewhere/base', '9')] })
    assert.deepEqual(named('docker.io/library/base:1', known), {
      kind: 'image',
      image: { ...reference },
      platform,
      digest: digest('7'),
    })
    const several = image({ repoDigests: [repoDigest('base', '7'), repoDigest('base', '9')] })
    assert.equal(named('base:1', several)?.digest, digest('f'), 'its manifest')
    assert.equal(named('base:1', image())?.digest, digest('f'))
    assert.equal(named(`base@${digest('8')}`, several)?.digest, digest('8'), 'as it was written')
  })

  test('an image that was named by its ID is known by a name that it has, or by none', () => {
    const id = digest('e')
    const name = imageName(parseReference('app:2'))
    assert.deepEqual(named(id, image({ names: [name] })), { kind: 'image', image: name, platform, digest: digest('f') })
    assert.deepEqual(named('eeee', image()), {
      kind: 'local-image',
      name: 'image',
      version: id,
      platform,
      digest: digest('f'),
    })
  })

  test('an image of a layout is known by the directory’s last name and its tag', () => {
    for (const [place, name, version] of [
      ['oci-layout:///home/ann/base:1', 'base', '1'],
      ['oci-layout://base', 'base', 'latest'],
      [`oci-layout://a/base:2@${digest('d')}`, 'base', '2'],
    ] as const)
      assert.deepEqual(named(place, image()), { kind: 'local-image', name, version, platform, digest: digest('f') })
  })

  test('a file has the digest of what came, else its checksum, else none', () => {
    const url = 'https://ann:pass@example.com/a.tar'
    const shown = 'https://***@example.com/a.tar'
    const files = (world: World) => factsOf(world).materials.filter(({ kind }) => kind === 'url')
    assert.deepEqual(files({ fetched: { [url]: digest('d') } }), [{ kind: 'url', url: shown, digest: digest('d') }])
    assert.deepEqual(files({}), [{ kind: 'url', url: shown, digest: digest('c') }])
    const context = { kind: 'url', url: 'https://example.com/web.tar' } as const
    const remote = factsOf({ asked: { context }, dockerfile: 'deploy/Dockerfile' })
    assert.deepEqual(remote.source, { url: context.url, digest: undefined, path: 'deploy/Dockerfile' })
    assert.deepEqual(remote.materials.at(-1), { kind: 'url', url: context.url, digest: undefined })
    assert.deepEqual(remote.request.locals, ['lib'], 'the context is on no machine of ours')
  })
})

test('only a step that was run with a network had one', () => {
  assert.equal(factsOf().network, true)
  assert.equal(factsOf({ steps: STEPS.slice(6) }).network, false)
})

test('with SOURCE_DATE_EPOCH no time and no chance is in it; without, each build is another', () => {
  const { started, finished, invocation } = factsOf({ epoch: 5 })
  assert.deepEqual([started, finished, invocation], [5000, 5000, undefined])
  const free = factsOf()
  assert.deepEqual([free.started, free.finished], [1000, 2000])
  assert.notEqual(free.invocation, factsOf().invocation)
})

test('a machine that keeps account gives what the machine gives, and knows files that were read to their end', async () => {
  const found = { image: image(), wasLocal: true }
  const plain = {
    findImage: async () => found,
    fetchUrl: async () => ({ body: [Buffer.from('con'), Buffer.from('tent')], fileName: 'a' }),
  } as unknown as BuildMachine
  const { machine, account } = accountingMachine(plain)
  assert.equal(await machine.findImage('base:1', { platform, pull: false }), found)
  assert.equal(account.image('base:1', platform), found.image)
  assert.equal(account.image('base:1', { ...platform, architecture: 'arm64' }), undefined)
  const whole = await machine.fetchUrl('https://a', {})
  assert.equal(whole.fileName, 'a')
  assert.equal(account.fetched('https://a'), undefined)
  assert.equal(Buffer.concat(await Array.fromAsync(whole.body)).toString(), 'content')
  assert.match(String(account.fetched('https://a')), /^sha256:ed7002b439e9ac84/)
  for await (const _ of (await machine.fetchUrl('https://b', {})).body) break
  assert.equal(account.fetched('https://b'), undefined)
})
