/**
 * Command lines that tools write. Looked up word for word in public sources: those of GitHub's runner (as its job logs print them),
 * docker/build-push-action (src/context.ts), @nx/docker (nrwl/nx: the docker engine of its build, its release), and GitLab's
 * clear-docker-cache script. The others are lines seen of Jenkins, kind, minikube, dev containers and editors, kept to hold what they need.
 */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { createEngine, type Engine, readConfig } from '../../src/engine/index.ts'
import { runLineHere } from '../kit/verb-runner.ts'
import { cannotRun, type Prepared, prepared } from './prepared.ts'

const options = { skip: cannotRun }
let made: Prepared
let engine: Engine

before(async () => {
  if (cannotRun) return
  made = await prepared()
  const { environment } = made.bale
  engine = createEngine({ config: readConfig({ root: environment['BALE_ROOT'], run: environment['BALE_RUN'] }) })
})
after(async () => {
  if (cannotRun) return
  await engine[Symbol.asyncDispose]()
  await made[Symbol.asyncDispose]()
})

/** Runs a line, which must succeed, and answers what it printed. */
async function line(words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runLineHere(words, { engine, environment: { HOME: '/none', HERE: 'mine' } })
  assert.equal(code, 0, `${words.join(' ')}: ${stderr}`)
  return stdout.trim()
}

/** Words of a line as a shell cuts them; `'…'` and `"…"` keep blanks. */
const words = (text: string) => [...text.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '')
const sh = (text: string) => line(words(text))

test('GitHub runner: a job container with its network', options, async () => {
  const work = join(made.bale.directory, 'work')
  mkdirSync(work)
  for (const side of ['Server', 'Client'])
    assert.match(await sh(`version --format '{{.${side}.APIVersion}}'`), /^1\.(3[5-9]|[4-9]\d)$/)
  assert.equal(await sh('ps --all --quiet --no-trunc --filter "label=4b9a2f"'), '')
  await sh('network create --label 4b9a2f github_network_1')
  const id = await line([
    ...words(
      'create --name x_busybox_1 --label 4b9a2f --workdir /__w/repo --network github_network_1 -e HOME=/github/home',
    ),
    ...words('-e HERE -e GITHUB_ACTIONS=true -e CI=true -v'),
    `${work}:/__w`,
    '-v',
    `${work}:/__e:ro`,
    ...words('--entrypoint tail busybox:1 -f /dev/null'),
  ])
  await sh(`start ${id}`)
  const row = await sh(`ps --all --filter id=${id} --filter status=running --no-trunc --format '{{.ID}} {{.Status}}'`)
  assert.match(row, new RegExp(`^${id} Up `))
  const env = await sh(`inspect --format '{{range .Config.Env}}{{println .}}{{end}}' ${id}`)
  assert.deepEqual(env.split('\n').slice(0, 4), ['HOME=/github/home', 'HERE=mine', 'GITHUB_ACTIONS=true', 'CI=true'])
  const health = '{{if .Config.Healthcheck}}{{print .State.Health.Status}}{{end}}'
  assert.equal(await line(['inspect', `--format=${health}`, id]), '')
  assert.equal(await sh(`port ${id}`), '')
  await sh(`rm --force ${id}`)
  assert.match(await sh('network prune --force --filter "label=4b9a2f"'), /github_network_1/)
})

test('Jenkins: a step inside a container', options, async () => {
  assert.equal(await sh('inspect -f . busybox:1'), '.')
  const id = await sh('run -t -d -u 0:0 -w /ws -v jenkins-ws:/ws:rw,z -e A=b busybox:1 cat')
  assert.match(await sh(`top ${id} -eo pid,comm`), /cat/)
  assert.match(await line(['inspect', '--format={{json .State}}', id]), /^\{"Status":"running"/)
  await sh(`stop --time=1 ${id}`)
  await sh(`rm -f --volumes ${id}`)
})

test('kind: a node, and what is asked about it', options, async () => {
  const label = 'io.x-k8s.kind.cluster'
  const facts = JSON.parse(await sh("info --format '{{json .}}'")) as Record<string, unknown>
  for (const [name, type] of Object.entries({
    CgroupVersion: 'string',
    CgroupDriver: 'string',
    MemoryLimit: 'boolean',
    PidsLimit: 'boolean',
    CPUShares: 'boolean',
  }))
    assert.equal(typeof facts[name], type, name)
  assert.doesNotMatch(await sh("info --format '{{json .SecurityOptions}}'"), /name=(userns|rootless)/)
  assert.equal(await line(['network', 'ls', '--filter=name=^kind$', '--format={{.ID}}']), '')
  await sh(
    'network create -d=bridge -o com.docker.network.bridge.enable_ip_masquerade=true -o com.docker.network.driver.mtu=1500 kind',
  )
  const network = await line(['network', 'ls', '--filter=name=^kind$', '--format={{.ID}}'])
  assert.match(network, /^[0-9a-f]{12}$/)
  await sh(
    `create --name kind-control-plane --hostname kind-control-plane --label io.x-k8s.kind.role=control-plane --privileged --security-opt seccomp=unconfined --security-opt apparmor=unconfined --tmpfs /tmp --tmpfs /run --volume /var --volume /lib/modules:/lib/modules:ro -e KIND_EXPERIMENTAL_CONTAINERD_SNAPSHOTTER --tty --label ${label}=kind --net kind --restart=on-failure:1 --init=false --cgroupns=private --userns=host --publish=127.0.0.1:6443:6443/TCP -e KUBECONFIG=/etc/kubernetes/admin.conf busybox:1`,
  )
  assert.equal(await line(['ps', '-a', '--filter', `label=${label}`, '--format', `{{.Label "${label}"}}`]), 'kind')
  assert.equal(await sh(`ps -a --filter label=${label}=kind --format '{{.Names}}'`), 'kind-control-plane')
  const role = '{{ index .Config.Labels "io.x-k8s.kind.role"}}'
  assert.equal(await line(['inspect', '--format', role, 'kind-control-plane']), 'control-plane')
  await sh('rm -f -v kind-control-plane')
})

test('minikube: its network, its volume, its questions', options, async () => {
  assert.match(
    await sh('version --format "{{.Server.Os}}-{{.Server.Version}}:{{.Server.Platform.Name}}"'),
    /^linux-.+:.+/,
  )
  await sh(
    'network create --driver=bridge --subnet=192.168.249.0/24 --gateway=192.168.249.1 -o --ip-masq -o --icc -o com.docker.network.driver.mtu=1500 --label=created_by.minikube.sigs.k8s.io=true minikube',
  )
  const template =
    '{"Name": "{{.Name}}","Driver": "{{.Driver}}","Subnet": "{{range .IPAM.Config}}{{.Subnet}}{{end}}","Gateway": "{{range .IPAM.Config}}{{.Gateway}}{{end}}","MTU": {{if (index .Options "com.docker.network.driver.mtu")}}{{(index .Options "com.docker.network.driver.mtu")}}{{else}}0{{end}}, "ContainerIPs": [{{range $k,$v := .Containers }}"{{$v.IPv4Address}}",{{end}}]}'
  assert.deepEqual(JSON.parse(await line(['network', 'inspect', 'minikube', '--format', template])), {
    Name: 'minikube',
    Driver: 'bridge',
    Subnet: '192.168.249.0/24',
    Gateway: '192.168.249.1',
    MTU: 1500,
    ContainerIPs: [],
  })
  await sh(
    'volume create minikube --label name.minikube.sigs.k8s.io=minikube --label created_by.minikube.sigs.k8s.io=true',
  )
  assert.equal(await sh('volume ls --filter label=created_by.minikube.sigs.k8s.io=true --format {{.Name}}'), 'minikube')
  await sh(
    'create --name minikube --label name.minikube.sigs.k8s.io=minikube -v minikube:/var --memory=64mb --memory-swap=64mb busybox:1 true',
  )
  assert.equal(await sh('container inspect minikube --format={{.State.Status}}'), 'created')
  assert.match(
    await sh('container inspect minikube --format "{{.Config.Labels}}"'),
    /name\.minikube\.sigs\.k8s\.io:minikube/,
  )
  await sh('rm -f -v minikube')
  await sh('network rm minikube')
  await sh('volume rm minikube')
})

test('dev containers: two labels, quoted mounts, upper-case streams', options, async () => {
  const directory = join(made.bale.directory, 'a,b')
  mkdirSync(directory)
  const mount = `type=bind,"source=${directory}",target=/workspaces/ws,consistency=cached`
  await line([
    ...words('run --sig-proxy=false -a STDOUT -a STDERR --name dev --mount'),
    mount,
    ...words('-l devcontainer.local_directory=/ws -l devcontainer.config_file=/ws/c.json --cap-add=SYS_PTRACE'),
    ...words('--security-opt seccomp=unconfined --entrypoint /bin/sh busybox:1 -c'),
    'test -d /workspaces/ws',
  ])
  const ps = 'ps -q -a --filter label=devcontainer.local_directory=/ws --filter label=devcontainer.config_file='
  assert.match(await sh(`${ps}/ws/c.json`), /^[0-9a-f]{12}$/)
  assert.equal(await sh(`${ps}other`), '')
  const [details] = JSON.parse(await sh('inspect --type container dev')) as { HostConfig: { CapAdd: string[] } }[]
  assert.deepEqual(details?.HostConfig.CapAdd, ['CAP_SYS_PTRACE'])
  assert.equal((JSON.parse(await sh('inspect --type image busybox:1')) as unknown[]).length, 1)
  await sh('rm -f dev')
})

test('editors: every list as one JSON object a line', options, async () => {
  await sh('create --name shown busybox:1 true')
  await sh('volume create shown')
  const lists = ['container ls --all --no-trunc', 'image ls --all --no-trunc', 'network ls --no-trunc', 'volume ls']
  for (const list of lists) {
    const rows = async (format: string) =>
      (await sh(`${list} --format ${format}`)).split('\n').map((row) => JSON.parse(row) as object)
    // Ages are told in seconds: what is compared must be the same before and after.
    let first: object[]
    let other: object[]
    do [first, other] = [await rows("'{{json .}}'"), await rows('json')]
    while (!isDeepStrictEqual(await rows("'{{json .}}'"), first))
    assert.ok(first.length > 0, list)
    assert.deepEqual(other, first)
  }
  const template = '{{json .}}'
  const inspected = await line(['container', 'inspect', '--format', template, 'shown'])
  assert.equal((JSON.parse(inspected) as { Name: string }).Name, '/shown')
  assert.ok('Server' in (JSON.parse(await sh(`version --format '${template}'`)) as object))
  await sh('container rm --force shown')
  await sh('volume rm shown')
})

test('build-push-action and bake: attestations turned off, flags behind the path', options, async () => {
  const context = join(made.bale.directory, 'context')
  mkdirSync(context)
  writeFileSync(join(context, 'Dockerfile'), 'FROM busybox:1\nLABEL a=b\n')
  const files = [
    '--iidfile',
    join(made.bale.directory, 'iid'),
    '--metadata-file',
    join(made.bale.directory, 'metadata'),
  ]
  await line([
    ...words('buildx build --attest type=provenance,disabled=true'),
    ...files,
    ...words('--tag out:1 --load'),
    context,
  ])
  await line([
    ...words('build --provenance=false --sbom=false --pull=false --quiet'),
    context,
    ...words('--label c=d -t=out:2'),
  ])
  assert.equal(await sh(`image inspect -f '{{.Config.Labels.c}}' out:2`), 'd')
})

test('Nx: the arguments of its build in its order, then tag and the question of a release', options, async () => {
  const context = join(made.bale.directory, 'nx')
  mkdirSync(context)
  writeFileSync(join(context, 'Dockerfile'), 'FROM busybox:1 AS shop\nARG V\nLABEL v=$V\n')
  const metadata = join(made.bale.directory, 'nx-metadata')
  await line([
    ...words('buildx build --add-host db:10.0.0.5 --build-arg V=7 --file'),
    join(context, 'Dockerfile'),
    ...['--iidfile', join(made.bale.directory, 'nx-iid')],
    ...words('--label a=b --provenance false --tag apps-shop --target shop --load --metadata-file'),
    ...[metadata, ...words('--network default --no-cache'), context],
  ])
  assert.match(JSON.parse(readFileSync(metadata, 'utf8'))['containerimage.digest'], /^sha256:/)
  await sh('tag apps-shop registry.example/team/shop:2411.28.abc')
  assert.match(await sh('images --filter "reference=registry.example/team/shop:2411.28.abc" --quiet'), /^[0-9a-f]{12}$/)
  assert.equal(await sh('images --filter "reference=registry.example/team/shop:none" --quiet'), '')
})

test(
  'GitLab: the caches of its runner are found by state and label, and removed with their volumes',
  options,
  async () => {
    const label = 'com.gitlab.gitlab-runner.type=cache'
    await sh(`run --name cache -v /cache --label ${label} busybox:1 true`)
    await sh('run --name other busybox:1 true')
    await sh('version')
    const asked = `ps -a -q --filter=status=exited --filter=status=dead --filter=label=${label}`
    const caches = await sh(asked)
    assert.match(caches, /^[0-9a-f]{12}$/)
    assert.equal(await sh(`rm -v ${caches}`), caches)
    assert.equal(await sh(asked), '')
    await sh('rm other')
  },
)

test('scripts for podman ask with exists: the exit code is the answer', options, async () => {
  const ask = async (text: string) => {
    const { code, stdout, stderr } = await runLineHere(words(text), { engine, environment: { HOME: '/none' } })
    return { code, quiet: stdout === '' && stderr === '' }
  }
  await sh('volume create there')
  await sh('create --name there busybox:1')
  for (const noun of ['container', 'volume'])
    assert.deepEqual(await ask(`${noun} exists there`), { code: 0, quiet: true })
  assert.deepEqual(await ask('image exists busybox:1'), { code: 0, quiet: true })
  assert.deepEqual(await ask('network exists bridge'), { code: 0, quiet: true })
  for (const noun of ['image', 'container', 'volume', 'network'])
    assert.deepEqual(await ask(`${noun} exists absent`), { code: 1, quiet: true }, noun)
  assert.deepEqual(await ask('image exists NOT_A_NAME'), { code: 125, quiet: false })
})
