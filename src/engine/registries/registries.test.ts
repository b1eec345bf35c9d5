import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { systemClock } from '#base'
import { planServer } from '../../../test/kit/planned-server.ts'
import { type EngineConfig, readConfig } from '../context/config.ts'
import { createContext } from '../context/context.ts'
import { registryInformation } from '../registry-information.ts'
import { isListed } from './insecure.ts'
import { openRegistry, registryOptions } from './open-registry.ts'

const directory = mkdtempSync(join(tmpdir(), 'bale-registries-'))
after(() => rmSync(directory, { recursive: true }))

/** A machine whose only words about registries are these files, and what config.json says. */
function machine(files: Record<string, string>, own: Partial<EngineConfig> = {}) {
  const place = mkdtempSync(join(directory, 'machine-'))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(place, name)), { recursive: true })
    writeFileSync(join(place, name), content)
  }
  const warnings: string[] = []
  const config: EngineConfig = {
    ...readConfig({ root: join(place, 'root'), dockerConfigDirectory: join(place, 'docker') }),
    authFiles: [],
    environment: {},
    insecureRegistries: [],
    registries: {},
    registryLimits: { attempts: 1, firstDelay: 1 },
    certificateDirectories: [join(place, 'certs.d')],
    registryFiles: {
      configFile: undefined,
      daemonFiles: [join(place, 'daemon.json')],
      registriesConf: [join(place, 'user.conf'), join(place, 'registries.conf')],
      registriesConfDirectories: [join(place, 'registries.conf.d')],
    },
    ...own,
  }
  const warn = (text: string) => void warnings.push(text.replaceAll(`${place}/`, ''))
  const context = createContext({ config, clock: systemClock, log: { debug: () => undefined, warn } })
  const options = (name: string) => {
    const [registry, ...path] = name.split('/')
    return registryOptions(context, { registry: registry!, repository: path.join('/') })
  }
  return { context, warnings, options }
}

const places = (mirrors: readonly { registry: string; repository?: string; base?: URL; insecure?: boolean }[] = []) =>
  mirrors.map(({ registry, repository, base, insecure }) =>
    [base?.href ?? `${registry}/${repository}`, insecure ? 'insecure' : ''].join(' ').trim(),
  )

test('daemon.json: mirrors are for Docker Hub, insecure registries are hosts with port and ranges', async () => {
  const { options, warnings } = machine({
    'daemon.json': JSON.stringify({
      'registry-mirrors': ['https://mirror.example', 'http://10.9.8.7:5000/hub/', 'ftp://x', 'https://u:p@x'],
      'insecure-registries': ['r.example:5000', '10.0.0.0/8', 'http://old.example/'],
      'storage-driver': 'overlay2',
    }),
  })
  const hub = await options('docker.io/library/web')
  assert.deepEqual(places(hub.mirrors), ['https://mirror.example/', 'http://10.9.8.7:5000/hub insecure'])
  assert.equal(hub.insecure, false)
  for (const [name, insecure] of [
    ['r.example:5000/a', true],
    ['r.example/a', false],
    ['10.1.2.3:5000/a', true],
    ['11.1.2.3:5000/a', false],
    ['old.example/a', true],
  ] as const) {
    const found = await options(name)
    assert.deepEqual([found.insecure, places(found.mirrors)], [insecure, []], name)
  }
  assert.deepEqual(
    warnings.map((text) => text.replace(/ without.*/, '')),
    ['ftp://x', 'https://***@x'].map((place) => `daemon.json:1: ${place} is not the http or https address of a mirror`),
  )
})

test('registries.conf: mirrors, other places, prefixes, insecure and blocked; the longest prefix wins', async () => {
  const conf = `
unqualified-search-registries = ["quay.example"]
[[registry]]
prefix = "docker.io"
location = "hub.inner.example/cache"
[[registry.mirror]]
location = "one.example:5000/hub"
insecure = true
[[registry.mirror]]
location = "two.example"
pull-from-mirror = "digest-only"
[[registry]]
location = "docker.io/library"
insecure = true
[[registry]]
prefix = "*.corp.example"
location = "corp.example/all"
[[registry]]
location = "bad.example"
blocked = true
`
  const { options, context } = machine({ 'registries.conf': conf })
  const other = await options('docker.io/ann/web')
  assert.deepEqual(places(other.mirrors), ['one.example:5000/hub/ann/web insecure'])
  assert.deepEqual(other.location, { registry: 'hub.inner.example', repository: 'cache/ann/web' })
  const digest = await registryOptions(context, { registry: 'docker.io', repository: 'ann/web', digest: 'sha256:x' })
  assert.deepEqual(places(digest.mirrors), ['one.example:5000/hub/ann/web insecure', 'two.example/ann/web'])
  const official = await options('docker.io/library/web')
  assert.deepEqual([official.insecure, official.location, places(official.mirrors)], [true, undefined, []])
  assert.deepEqual((await options('a.b.corp.example/x/y')).location, {
    registry: 'corp.example',
    repository: 'all/x/y',
  })
  assert.equal((await options('notcorp.example/x')).location, undefined)
  await assert.rejects(options('bad.example/x'), {
    code: 'DENIED',
    message: /bad.example is blocked by .*registries.conf/,
  })
  assert.equal((await options('bad.example.org/x')).insecure, false)
})

test('registries.conf of the first form is read; a user’s file stands in place of the machine’s, drop-ins come on top', async () => {
  const v1 = `
[registries.search]
registries = ['docker.io']
[registries.insecure]
registries = ['r.example:5000']
[registries.block]
registries = ['bad.example']
`
  const one = machine({ 'registries.conf': v1 })
  assert.equal((await one.options('r.example:5000/a')).insecure, true)
  await assert.rejects(one.options('bad.example/a'), { code: 'DENIED' })
  const two = machine({
    'registries.conf': v1,
    'user.conf': '[[registry]]\nlocation = "a.example"\ninsecure = true\n',
    'registries.conf.d/9.conf': '[[registry]]\nlocation = "a.example"\nlocation2 = "x"\nblocked = true\n',
    'registries.conf.d/ignored.txt': 'not TOML',
  })
  assert.equal((await two.options('r.example:5000/a')).insecure, false)
  await assert.rejects(two.options('a.example/x'), { code: 'DENIED', message: /9\.conf/ })
  assert.deepEqual(two.warnings, [])
})

test('config.json of bale wins, member by member', async () => {
  const files = {
    'daemon.json': '{"registry-mirrors":["https://daemon.example"],"insecure-registries":["r.example"]}',
    'registries.conf': '[[registry]]\nlocation = "r.example"\nblocked = true\ninsecure = true\n',
  }
  const { options } = machine(files, {
    registries: {
      'docker.io': { mirrors: ['https://own.example/hub', 'plain.example/cache'] },
      'r.example': { blocked: false, insecure: false },
    },
    insecureRegistries: ['plain.example'],
  })
  assert.deepEqual(places((await options('docker.io/library/web')).mirrors), [
    'https://own.example/hub',
    'plain.example/cache/library/web insecure',
  ])
  assert.equal((await options('r.example/a')).insecure, false)
})

const malformed: [file: string, content: string, warning: RegExp][] = [
  ['daemon.json', '{\n "registry-mirrors": [\n', /^daemon.json:\d: not JSON/],
  ['daemon.json', '[]', /^daemon.json:1: not a JSON object/],
  ['daemon.json', '{\n\n"insecure-registries": "r.example"}', /^daemon.json:3: insecure-registries is not a list/],
  ['registries.conf', 'a = 1\n[[registry]\n', /^registries.conf:2: not TOML/],
  [
    'registries.conf',
    '\n[[registry]]\nblocked = true\n',
    /^registries.conf:2: a registry has neither prefix nor location/,
  ],
  ['registries.conf', '[[registry]]\nlocation = "a"\nblocked = "yes"\n', /^registries.conf:3: blocked is neither/],
  [
    'registries.conf',
    '[[registry]]\nlocation = "a"\n[[registry.mirror]]\nlocation = "https://x"\n',
    /^registries.conf:3: a mirror/,
  ],
  [
    'registries.conf.d/x.conf',
    '[registries.block]\nregistries = 7\n',
    /^registries.conf.d\/x.conf:1: registries.block/,
  ],
]
for (const [file, content, warning] of malformed) {
  test(`a malformed ${file} is a warning with its line, and nothing fails: ${JSON.stringify(content)}`, async () => {
    const { options, warnings } = machine({ [file]: content })
    assert.equal((await options('docker.io/library/web')).insecure, false)
    await options('r.example/a')
    assert.equal(warnings.length, 1, warnings.join())
    assert.match(warnings[0]!, warning)
  })
}

test('a range holds the addresses of names too', async () => {
  assert.equal(await isListed('localhost:5000', ['127.0.0.0/8', '::1/128']), true)
  assert.equal(await isListed('[fd00::7]:5000', ['fd00::/8']), true)
  assert.equal(await isListed('no-such-name.invalid', ['0.0.0.0/0']), false)
  assert.equal(await isListed('r.example', ['r.example/24', '10.0.0.0/99', '']), false)
})

test('a pull goes to the mirror first, below its path; a mirror that is down is asked once; a push goes past it', async () => {
  const index = '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}'
  await using mirror = await planServer(({ path }, response) =>
    path.endsWith('/here') || path.includes('sha256') ? response.end(index) : response.writeHead(404).end(),
  )
  await using server = await planServer((_request, response) => response.end(index))
  const { context } = machine(
    {},
    { registries: { [server.host]: { mirrors: ['http://localhost:1', `${mirror.url}/hub/`], blocked: false } } },
  )
  const name = { registry: server.host, repository: 'team/web' }
  {
    await using repository = await openRegistry(context, name)
    await repository.manifest((await repository.resolve('here')).descriptor)
    assert.equal(mirror.seen[0]!.path, '/hub/v2/team/web/manifests/here')
    assert.equal(server.seen.length, 0)
    await repository.resolve('there')
    assert.deepEqual(
      server.seen.map(({ path }) => path),
      ['/v2/team/web/manifests/there'],
    )
  }
  await using repository = await openRegistry(context, name, { writing: true })
  await repository.resolve('here')
  assert.equal(server.seen.length, 2)
})

test('an alias leads a short name to its place, and nothing else; those that a distribution ships do not count', async () => {
  await using server = await planServer((_request, response) =>
    response.end('{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}'),
  )
  const { context } = machine({
    'registries.conf': `[aliases]\n"tool" = "${server.host}/team/tool"\n`,
    'registries.conf.d/000-shortnames.conf': '[aliases]\n"shipped" = "elsewhere.example/x"\n',
  })
  await using repository = await openRegistry(
    context,
    { registry: 'docker.io', repository: 'library/tool' },
    { typed: 'tool:1' },
  )
  await repository.resolve('1')
  assert.equal(server.seen[0]!.path, '/v2/team/tool/manifests/1')
  await using shipped = await openRegistry(
    context,
    { registry: 'docker.io', repository: 'library/shipped' },
    { typed: 'shipped' },
  )
  assert.equal(shipped.registryHost, 'docker.io')
})

test('the configuration that was read is shown: files, mirrors, insecure registries, proxies without their logins', async () => {
  const { context } = machine(
    {
      'daemon.json': '{"registry-mirrors":["https://m.example"],"insecure-registries":["r.example:5000","10.0.0.0/8"]}',
      'registries.conf': '[[registry]]\nlocation = "bad.example"\nblocked = true\n',
    },
    { environment: { HTTPS_PROXY: 'http://ann:secret@proxy.example:3128', no_proxy: 'inner' } },
  )
  const facts = await registryInformation(context)
  assert.deepEqual(facts.RegistryConfig.Mirrors, ['https://m.example/'])
  assert.deepEqual(facts.RegistryConfig.InsecureRegistryCIDRs, ['10.0.0.0/8', '127.0.0.0/8', '::1/128'])
  assert.equal(facts.RegistryConfig.IndexConfigs['r.example:5000']?.Secure, false)
  assert.deepEqual(
    facts.RegistryFiles.map((path) => path.split('/').at(-1)),
    ['daemon.json', 'registries.conf'],
  )
  assert.ok(facts.RegistryRules.some(({ Prefix, Blocked }) => Prefix === 'bad.example' && Blocked))
  assert.deepEqual([facts.HttpsProxy, facts.NoProxy], ['http://***@proxy.example:3128', 'inner'])
})

test('bounds of the client are configured by name', async () => {
  const { options } = machine({}, { registryLimits: { attempts: 2 } })
  assert.deepEqual((await options('r.example/a')).limits, { attempts: 2 })
  const wrong = machine({}, { registryLimits: { tries: 2 } })
  await assert.rejects(wrong.options('r.example/a'), { code: 'INVALID_ARGUMENT', message: /registryLimits: tries/ })
})
