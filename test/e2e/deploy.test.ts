/** The examples in `deploy/`, tried as far as this machine can: by the programs that read them, and against the registry itself. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { get, request } from 'node:https'
import { join, resolve } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { parse, parseAllDocuments } from 'yaml'
import { serveRegistry } from '#registry'
import { testBale } from '../kit/bale.ts'
import { freePort } from '../kit/free-port.ts'
import { selfSigned } from '../kit/self-signed.ts'
import { temporaryDirectory } from '../kit/temporary.ts'
import { until } from '../kit/until.ts'

const root = resolve(import.meta.dirname, '../..')
const example = (name: string) => readFileSync(join(root, 'deploy', name), 'utf8')

/** Seconds that a replica gives running requests. */
const drain = Number(/^const STOP_PATIENCE = (\d+)_000$/m.exec(read('src/registry/serve.ts'))![1])
/** Seconds after which a replica says that its database is away: what it waits, and a last attempt to connect. */
const patience = (['PATIENCE', 'CONNECT_TIMEOUT'] as const)
  .map((name) => new RegExp(`^const ${name} = (\\d)_000$`, 'm').exec(read('src/registry/meta/postgres-database.ts'))!)
  .reduce((sum, found) => sum + Number(found[1]), 0)

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

function runs(program: string, args: readonly string[]): string | false {
  const { error } = spawnSync(program, args, { stdio: 'ignore' })
  return error ? `${program} is not installed` : false
}

// biome-ignore lint/suspicious/noExplicitAny: documents of others' making, of which the tests look at some places
type Document = any

const kubernetes = parseAllDocuments(example('registry/kubernetes.yaml')).map((one) => {
  assert.deepEqual(one.errors, [])
  return one.toJS() as Document
})
const ofKind = (kind: string): Document => kubernetes.find((one) => one.kind === kind)!
const pod: Document = ofKind('Deployment').spec.template.spec
const compose: Document = parse(example('registry/compose.yaml'))

/** All files in which an example describes the registry, with the port that others of the example reach it at. */
const configurations: [name: string, text: string][] = [
  ['registry.yaml', example('registry/registry.yaml')],
  ['the ConfigMap of kubernetes.yaml', ofKind('ConfigMap').data['registry.yaml']],
  ['compose.yaml', compose.configs.registry.content],
]

test('each registry.yaml of the examples passes the check, listens on the port that the others name, and has several replicas in mind', async () => {
  await using bale = await testBale()
  for (const [name, text] of configurations) {
    const path = join(bale.directory, 'registry.yaml')
    writeFileSync(path, text)
    const checked = await bale.try(['registry', 'config', 'check', '--no-files', path])
    assert.deepEqual([checked.code, checked.stderr], [0, ''], name)
    const { listen, metadata, objects } = parse(text) as Document
    assert.equal(listen.address, '0.0.0.0:5000', name)
    assert.ok(metadata.postgres && objects.s3 && listen['trusted-proxies'].length > 0, name)
  }
  const [container] = pod.containers
  assert.deepEqual(container.ports, [{ name: 'http', containerPort: 5000 }])
  assert.equal(ofKind('Service').spec.ports[0].targetPort, 'http')
  assert.match(example('registry/haproxy.cfg'), /^ {2}server-template \S+ \d+ registry\.internal:5000 check /m)
  assert.deepEqual(compose.services.registry.networks.inside.aliases, ['registry.internal'])
  assert.equal(example('registry/nginx.conf').match(/^ +server registry-\d\.internal:5000 /gm)?.length, 2)
})

test('what probes and balancers ask is answered by a registry that is ready, without a login', async () => {
  const { livenessProbe, readinessProbe } = pod.containers[0]
  const check = /^ {2}option httpchk GET (\S+)$/m.exec(example('registry/haproxy.cfg'))?.[1]
  assert.equal(check, readinessProbe.httpGet.path)
  assert.notEqual(livenessProbe.httpGet.path, readinessProbe.httpGet.path)
  await using directory = await temporaryDirectory()
  await using served = await serveRegistry({ directory: join(directory.path, 'registry'), port: 0 })
  const ask = async (path: string) => (await fetch(new URL(path, served.url))).status
  assert.deepEqual([await ask(livenessProbe.httpGet.path), await ask(readinessProbe.httpGet.path)], [200, 200])
  // Only one of the two says that a replica is being stopped.
  served.registry.drain()
  assert.deepEqual([await ask(livenessProbe.httpGet.path), await ask(readinessProbe.httpGet.path)], [200, 503])
})

test('every example gives a replica more time to end than it takes, and checks wait longer than a replica for its database', () => {
  const { terminationGracePeriodSeconds, containers } = pod
  const [, pause] = containers[0].lifecycle.preStop.exec.command
  assert.ok(terminationGracePeriodSeconds > drain + Number(pause) + 5)
  assert.ok(seconds(compose.services.registry.stop_grace_period) > drain + 5)
  const unit = example('registry/bale-registry.service')
  assert.ok(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)![1]) > drain + 5)
  assert.match(unit, /^KillSignal=SIGTERM$/m)
  assert.ok(containers[0].readinessProbe.timeoutSeconds > patience)
  assert.ok(seconds(/^ {2}timeout check (\S+)$/m.exec(example('registry/haproxy.cfg'))![1]!) > patience)
})

function seconds(text: string): number {
  assert.match(text, /^\d+s$/)
  return Number.parseInt(text, 10)
}

test('the objects of kubernetes.yaml belong together, its pods have few rights, and all of them fit into the database', () => {
  const kinds = ['ConfigMap', 'Deployment', 'Service', 'PodDisruptionBudget', 'HorizontalPodAutoscaler']
  assert.deepEqual(
    kubernetes.map(({ kind }) => kind),
    kinds,
  )
  assert.deepEqual([...new Set(kubernetes.map(({ metadata }) => metadata.name))], ['bale-registry'])
  const { labels } = ofKind('Deployment').spec.template.metadata
  for (const { spec } of [ofKind('Deployment'), ofKind('PodDisruptionBudget')]) {
    assert.deepEqual(spec.selector.matchLabels, labels)
  }
  assert.deepEqual(ofKind('Service').spec.selector, labels)
  assert.equal(ofKind('Deployment').spec.replicas, undefined)
  const { minReplicas, maxReplicas, scaleTargetRef } = ofKind('HorizontalPodAutoscaler').spec
  assert.equal(scaleTargetRef.name, 'bale-registry')
  assert.ok(minReplicas > ofKind('PodDisruptionBudget').spec.minAvailable)
  // PostgreSQL takes 100 connections by default, three of them for its administrator alone.
  const { pool } = parse(ofKind('ConfigMap').data['registry.yaml']).metadata.postgres
  assert.ok(pool * (maxReplicas + 1) <= 97)
  const { securityContext, volumeMounts } = pod.containers[0]
  assert.equal(pod.securityContext.runAsNonRoot, true)
  assert.deepEqual(
    [securityContext.readOnlyRootFilesystem, securityContext.allowPrivilegeEscalation, securityContext.capabilities],
    [true, false, { drop: ['ALL'] }],
  )
  const secret = pod.volumes.find((one: Document) => one.secret).secret
  assert.equal(secret.defaultMode & 0o007, 0)
  const place = volumeMounts.find(({ name }: Document) => name === 'secrets').mountPath
  for (const [, path] of ofKind('ConfigMap').data['registry.yaml'].matchAll(/(?:-|^secret-)file: (\S+)$/gm)) {
    assert.ok(path.startsWith(`${place}/`), path)
  }
})

test('compose.yaml gives each secret that its registry.yaml names, and trusts its own network only', () => {
  const { registry } = compose.services
  const named = [...compose.configs.registry.content.matchAll(/-file: \/run\/secrets\/(\S+)$/gm)].map(
    ([, name]) => name,
  )
  assert.deepEqual(named.sort(), [...registry.secrets].sort())
  assert.deepEqual(Object.keys(compose.secrets).sort(), named)
  assert.equal(registry.deploy.replicas, 2)
  assert.deepEqual([registry.read_only, registry.cap_drop], [true, ['ALL']])
  const { subnet } = compose.networks.inside.ipam.config[0]
  assert.deepEqual(parse(compose.configs.registry.content).listen['trusted-proxies'], [subnet])
})

test('the unit gives each credential that its registry.yaml names', () => {
  const unit = example('registry/bale-registry.service')
  const given = [...unit.matchAll(/^LoadCredential=([\w-]+):/gm)].map(([, name]) => name)
  const named = [...example('registry/registry.yaml').matchAll(/\/run\/credentials\/bale-registry\.service\/(\S+)$/gm)]
  assert.deepEqual(given.sort(), named.map(([, name]) => name).sort())
  assert.match(unit, /^ExecStart=\S+ bale registry serve --config \/etc\/bale\/registry\.yaml$/m)
})

test('systemd finds nothing wrong with the units', { skip: runs('systemd-analyze', ['--version']) }, () => {
  for (const unit of globSync('deploy/**/*.service', { cwd: root })) {
    // What it does not know it leaves out with a warning, and still succeeds.
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', join(root, unit)], { encoding: 'utf8' })
    assert.deepEqual(
      [status, stderr.split('\n').filter((line) => line.includes(unit.split('/').at(-1)!))],
      [0, []],
      unit,
    )
  }
})

test('haproxy takes haproxy.cfg without a warning', { skip: runs('haproxy', ['-v']) }, async () => {
  await using directory = await temporaryDirectory()
  const certificate = join(directory.path, 'registry.pem')
  const { cert, key } = selfSigned('registry.example')
  writeFileSync(certificate, cert + key, { mode: 0o600 })
  const path = join(directory.path, 'haproxy.cfg')
  writeFileSync(path, example('registry/haproxy.cfg').replace('/etc/haproxy/registry.pem', certificate))
  const { status, stdout, stderr } = spawnSync('haproxy', ['-c', '-f', path], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  assert.doesNotMatch(stdout + stderr, /WARNING|ALERT/)
})

test('behind haproxy.cfg a registry is reached by the name that clients use, and 503 says when to come again when no replica is ready', {
  skip: runs('haproxy', ['-v']),
}, async () => {
  await using directory = await temporaryDirectory()
  const place = (name: string) => join(directory.path, name)
  const { cert, key } = selfSigned('registry.example')
  writeFileSync(place('registry.pem'), cert + key, { mode: 0o600 })
  await using served = await serveRegistry({ directory: place('registry'), port: 0, trustedProxies: ['127.0.0.1'] })
  const port = await freePort()
  const text = example('registry/haproxy.cfg')
    .replace('/etc/haproxy/registry.pem', place('registry.pem'))
    .replace('bind :443', `bind 127.0.0.1:${port}`)
    .replace(/server-template .*/, `server replica ${served.address} check`)
    .replace(/ inter 2s /, ' inter 100ms ')
  writeFileSync(place('haproxy.cfg'), text)
  const child = spawn('haproxy', ['-db', '-f', place('haproxy.cfg')], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  const ask = async () => {
    const headers = { host: `registry.example:${port}`, 'x-forwarded-host': 'evil.example' }
    const sent = get({
      host: '127.0.0.1',
      port,
      path: '/v2/',
      servername: 'registry.example',
      ca: cert,
      headers,
      agent: false,
    })
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    answer.resume()
    return { status: answer.statusCode, headers: answer.headers }
  }
  const becomes = (status: number) => async () => {
    assert.equal(child.exitCode, null, 'haproxy ended')
    return (await ask().catch(() => undefined))?.status === status
  }
  try {
    await until('haproxy sees the replica', becomes(401))
    const realm = `realm="https://registry.example:${port}/token"`
    assert.ok((await ask()).headers['www-authenticate']?.includes(realm))
    served.registry.drain()
    await until('haproxy sees that it is not ready', becomes(503))
    const { headers } = await ask()
    assert.deepEqual([headers['retry-after'], headers['content-type']], ['5', 'application/json'])
  } finally {
    child.kill('SIGKILL')
    await ended
  }
})

/** nginx.conf before a replica and one that is away, with its files in a directory. */
function nginxFiles(directory: string, { listen, replicas }: { listen: string; replicas: readonly [string, string] }) {
  const place = (name: string) => join(directory, name)
  const { cert, key } = selfSigned('registry.example')
  writeFileSync(place('registry.crt'), cert)
  writeFileSync(place('registry.key'), key, { mode: 0o600 })
  const text = example('registry/nginx.conf')
    .replaceAll('/etc/nginx/tls/', `${directory}/`)
    .replace('listen 443 ', `listen ${listen} `)
    .replace('http {', 'http {\n  access_log off;')
    // It looks names up when it starts.
    .replaceAll(/registry-(\d)\.internal:5000/g, (_, number: string) => replicas[Number(number) - 1]!)
  writeFileSync(place('nginx.conf'), text)
  const outside = `pid ${place('pid')}; error_log stderr; daemon off;`
  return { ca: cert, args: ['-p', directory, '-c', place('nginx.conf'), '-g', outside] }
}

test('nginx takes nginx.conf', { skip: runs('nginx', ['-v']) }, async () => {
  await using directory = await temporaryDirectory()
  const { args } = nginxFiles(directory.path, { listen: '443', replicas: ['127.0.0.1:5000', '127.0.0.2:5000'] })
  const { status, stderr } = spawnSync('nginx', ['-t', ...args], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
})

test('behind nginx.conf a registry is reached by the name that clients use, also while the other replica is away, and bodies stream', {
  skip: runs('nginx', ['-v']),
}, async () => {
  await using directory = await temporaryDirectory()
  await using served = await serveRegistry({
    ...{ directory: join(directory.path, 'registry'), port: 0, anonymous: 'push' },
    trustedProxies: ['127.0.0.1'],
  })
  const [port, away] = [await freePort(), await freePort()]
  const replicas = [`127.0.0.1:${away}`, served.address] as const
  const { ca, args } = nginxFiles(directory.path, { listen: `127.0.0.1:${port}`, replicas })
  const child = spawn('nginx', args, { stdio: 'ignore' })
  const ended = once(child, 'exit')
  const ask = async (method: string, path: string, body?: Uint8Array) => {
    const sent = request({
      ...{ host: '127.0.0.1', port, path, method, servername: 'registry.example', ca, agent: false },
      headers: {
        ...{ host: `registry.example:${port}`, 'x-forwarded-host': 'evil.example' },
        ...(body && { 'content-length': body.byteLength }),
      },
    })
    sent.end(body)
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    return { status: answer.statusCode, headers: answer.headers, bytes: await buffer(answer) }
  }
  try {
    await until('nginx answers', async () => {
      assert.equal(child.exitCode, null, 'nginx ended')
      return (await ask('GET', '/v2/').catch(() => undefined))?.status === 200
    })
    for (let time = 0; time < 10; time++) assert.equal((await ask('GET', '/v2/')).status, 200)
    const { headers } = await ask('GET', '/api/v1/me')
    assert.match(String(headers['www-authenticate']), new RegExp(`realm="https://registry.example:${port}/token"`))
    const bytes = randomBytes(3 << 20)
    const begun = await ask('POST', '/v2/team/web/blobs/uploads/')
    const place = begun.headers.location!
    assert.equal((await ask('PATCH', place, bytes.subarray(0, 2 << 20))).status, 202)
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    assert.equal((await ask('PUT', `${place}?digest=${digest}`, bytes.subarray(2 << 20))).status, 201)
    assert.ok((await ask('GET', `/v2/team/web/blobs/${digest}`)).bytes.equals(bytes))
  } finally {
    child.kill('SIGTERM')
    await ended
  }
})

test('neither balancer sticks to a replica, takes bodies in before it sends them on, or lets a client name itself', () => {
  const haproxy = example('registry/haproxy.cfg')
  assert.match(haproxy, /^ {2}no option http-buffer-request$/m)
  assert.match(haproxy, /^ {2}http-request set-header X-Forwarded-Host /m)
  assert.doesNotMatch(haproxy, /^ *(?:cookie|stick|balance source|balance hdr|option http-buffer-request)/m)
  const nginx = example('registry/nginx.conf')
  for (const line of [
    'proxy_request_buffering off',
    'proxy_buffering off',
    'client_max_body_size 0',
    'proxy_set_header Host $http_host',
    'proxy_set_header X-Forwarded-Host $http_host',
    'proxy_pass http://replicas',
  ]) {
    assert.match(nginx, new RegExp(`^ *${line.replaceAll('$', '\\$')};$`, 'm'))
  }
  assert.doesNotMatch(nginx, /^ *(?:ip_hash|hash|sticky|proxy_next_upstream.*non_idempotent)/m)
})

test('the image runs what the examples expect, as the user to whom their secrets belong', () => {
  const dockerfile = example('registry/Dockerfile')
  const { version, bin } = JSON.parse(read('package.json'))
  const [, user] = /^USER (\S+)$/m.exec(dockerfile)!
  assert.equal(user, compose.services.registry.user)
  assert.equal(user, `${pod.securityContext.runAsUser}:${pod.securityContext.runAsGroup}`)
  assert.ok('bale' in bin && dockerfile.includes('ENTRYPOINT ["bale"]'))
  const command = JSON.parse(/^CMD (.+)$/m.exec(dockerfile)![1]!)
  assert.deepEqual(command, pod.containers[0].args)
  assert.match(dockerfile, new RegExp(`^COPY bale-${version}\\.tgz `, 'm'))
  for (const image of [compose.services.registry.image, pod.containers[0].image]) {
    assert.equal(image, `registry.example/tools/bale:${version}`)
  }
})
