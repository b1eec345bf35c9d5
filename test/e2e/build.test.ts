import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { test } from 'node:test'
import { readTextSync } from '#host/file'
import { execute } from '../kit/bale.ts'
import { cannotRun, type Prepared, prepared } from './prepared.ts'

const options = { skip: cannotRun }

/** A context in the place's directory. */
function context(place: Prepared, name: string, files: Record<string, string>): string {
  const directory = join(place.bale.directory, name)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), content)
  }
  return directory
}

const inspect = async ({ bale }: Prepared, name: string) => JSON.parse(await bale.run(['image', 'inspect', name]))[0]

test(
  'build makes an image with everything that its Dockerfile says; again, every step is CACHED',
  options,
  async () => {
    await using place = await prepared()
    const { bale } = place
    const directory = context(place, 'web', {
      Dockerfile: `# syntax=docker/dockerfile:1
ARG BASE=busybox:1
FROM $BASE AS tools
RUN echo made > /made
FROM busybox:1
ARG VERSION=none
ENV V=$VERSION
LABEL version=$VERSION
WORKDIR /srv
COPY --from=tools --chown=user:extra --chmod=640 /made .
COPY . .
RUN <<EOF
test "$V" = 1.2 # seen
cat made page > both
EOF
USER user
EXPOSE 80 53/udp
VOLUME /data
STOPSIGNAL SIGINT
SHELL ["/bin/sh", "-ec"]
HEALTHCHECK --interval=5s CMD true
ENTRYPOINT ["cat"]
CMD ["both"]
`,
      '.dockerignore': 'secret\n',
      page: 'page\n',
      secret: 'not for the image',
    })
    const words = [
      'build',
      '-t',
      'web',
      '-t',
      'localhost:5000/team/web:2',
      '--build-arg',
      'VERSION=1.2',
      '--label',
      'by=test',
      '--network',
      'none',
      directory,
    ]
    const first = await bale.try(words)
    assert.equal(first.code, 0, first.stderr)
    assert.equal(first.stdout, '')
    assert.match(first.stderr, /\[stage-1 4\/5\] COPY \. \.\n/)
    const image = await inspect(place, 'web')
    const { Config } = image
    assert.deepEqual(image.RepoTags.toSorted(), ['localhost:5000/team/web:2', 'web:latest'])
    assert.deepEqual(
      [Config.User, Config.WorkingDir, Config.Entrypoint, Config.Cmd, Config.StopSignal, Config.Shell],
      ['user', '/srv', ['cat'], ['both'], 'SIGINT', ['/bin/sh', '-ec']],
    )
    assert.deepEqual(Config.ExposedPorts, { '53/udp': {}, '80/tcp': {} })
    assert.deepEqual([Config.Labels, Config.Volumes], [{ by: 'test', version: '1.2' }, { '/data': {} }])
    assert.deepEqual(Config.Healthcheck, { Test: ['CMD-SHELL', 'true'], Interval: 5e9 })
    assert.ok(Config.Env.includes('V=1.2'))

    const again = await bale.try(words)
    const steps = again.stderr.match(/^#\d+ \[/gm)!.length
    assert.equal(steps, 7)
    assert.equal(again.stderr.match(/^#\d+ CACHED$/gm)!.length, steps, again.stderr)
    assert.equal((await inspect(place, 'web')).Id, image.Id)

    const out = join(bale.directory, 'out')
    await bale.run(['build', '-q', '--build-arg', 'VERSION=1.2', '--label', 'by=test', '-o', out, directory])
    assert.equal(readFileSync(join(out, 'srv/both'), 'utf8'), 'made\npage\n')
    assert.deepEqual(readdirSync(join(out, 'srv')).sort(), ['.dockerignore', 'Dockerfile', 'both', 'made', 'page'])
    assert.equal(statSync(join(out, 'srv/made')).mode & 0o777, 0o640)
  },
)

test('-q prints the ID alone, --iidfile writes it, two images on one base share its layers', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const directory = context(place, 'c', {
    Dockerfile: 'FROM busybox:1\nCOPY f /f\n',
    'other.Dockerfile': 'FROM busybox:1\nLABEL a=b\n',
    f: 'x',
  })
  const iidfile = join(bale.directory, 'iid')
  const quiet = await bale.try(['build', '-q', '--iidfile', iidfile, '-t', 'one', directory])
  assert.deepEqual([quiet.code, quiet.stderr], [0, ''])
  assert.match(quiet.stdout, /^sha256:[0-9a-f]{64}\n$/)
  assert.equal(`${readFileSync(iidfile, 'utf8')}\n`, quiet.stdout)
  await bale.run(['build', '-t', 'two', '-f', join(directory, 'other.Dockerfile'), directory])
  const [base, one, two] = await Promise.all(['busybox:1', 'one', 'two'].map((name) => inspect(place, name)))
  assert.equal(one.RootFS.Layers[0], base.RootFS.Layers[0])
  assert.deepEqual(two.RootFS.Layers, base.RootFS.Layers)
  assert.match(await bale.run(['system', 'df', '-v']), /^two +latest +[0-9a-f]{12} .* 0B +0$/m)
  assert.match(await bale.run(['history', 'one']), /COPY f \/f # buildkit/)
})

test('the Dockerfile and the context come from stdin, a URL, or another file', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const directory = context(place, 'c', { Dockerfile: 'FROM busybox:1\nCOPY f /f\nLABEL from=tar\n', f: 'x' })
  const label = async (name: string) => (await inspect(place, name)).Config.Labels?.from
  await bale.run(['build', '-t', 'alone', '-'], { input: 'FROM busybox:1\nLABEL from=alone' })
  assert.equal(await label('alone'), 'alone')
  await bale.run(['build', '-t', 'stdin', '-f', '-', directory], {
    input: 'FROM busybox:1\nCOPY f /f\nLABEL from=stdin',
  })
  assert.equal(await label('stdin'), 'stdin')
  const tar = join(bale.directory, 'c.tar.gz')
  await execute('/bin/tar', ['-C', directory, '-czf', tar, '.'])
  await bale.run(['build', '-t', 'tar', '-'], { input: readFileSync(tar) })
  assert.equal(await label('tar'), 'tar')
  const server = createServer((request, response) => {
    if (request.url === '/c.tar.gz') response.end(readFileSync(tar))
    else if (request.url === '/Dockerfile') response.end('FROM busybox:1\nLABEL from=url')
    else response.writeHead(404).end()
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  try {
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await bale.run(['build', '-t', 'remote', `${base}/c.tar.gz`])
    assert.equal(await label('remote'), 'tar')
    await bale.run(['build', '-t', 'remote', `${base}/Dockerfile`])
    assert.equal(await label('remote'), 'url')
    assert.match((await bale.try(['build', `${base}/none`])).stderr, /404/)
  } finally {
    server.close()
  }
  const git = await bale.try(['build', 'https://example.com/team/app.git'])
  assert.deepEqual([git.code, /git repositories are not supported/.test(git.stderr)], [1, true])
})

test('what is wrong is told with its place and what to do, without a stack trace', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const failing = async (dockerfile: string, ...more: string[]) => {
    const directory = context(place, 'bad', { Dockerfile: dockerfile })
    const outcome = await bale.try(['build', '--network', 'none', ...more, directory])
    // docker's exit code: that of a RUN that failed, else 1.
    assert.equal(outcome.code, dockerfile.includes('exit 9') ? 9 : 1, outcome.stderr)
    assert.doesNotMatch(outcome.stderr, /^\s+at /m)
    return outcome.stderr
  }
  assert.match(
    await failing('FROM busybox:1\nRNU echo'),
    /Dockerfile:2:1: unknown instruction: RNU\n {2}2 \| RNU echo\n {4}\| \^\nhint: did you mean RUN\?/,
  )
  assert.match(
    await failing('FROM busybox:1\nRUN echo one; echo two; exit 9'),
    /exit code: 9\n[\s\S]*last lines of its output:\n {2}one\n {2}two\n/,
  )
  assert.match(
    await failing('FROM busybox:1\nCOPY missing /'),
    /Dockerfile:2:1: \/missing not found in the build context/,
  )
  assert.match(
    await failing('FROM busybox:1\nADD --keep-git-dir=true x /'),
    /Dockerfile:2:5: ADD --keep-git-dir is not supported yet/,
  )
  assert.match(await failing('# syntax=evil/frontend\nFROM busybox:1'), /the frontend evil\/frontend is not supported/)
  assert.match(await failing('FROM busybox:1', '--target', 'none'), /target stage "none" could not be found/)
  assert.match(await failing('FROM busybox:1', '-t', 'Bad Name'), /invalid reference format/)
  for (const flag of ['--squash', '--push', '--ssh=default', '--cache-from=x', '--memory=1g']) {
    const refused = await bale.try(['build', flag, bale.directory])
    assert.equal(refused.code, 125, 'as docker answers to a flag that it does not know')
    assert.match(refused.stderr, /the flag --[a-z-]+ is not supported: /, flag)
  }
  const unnamed = await bale.run(['images', '-q'])
  assert.equal(unnamed.split('\n').length, 1, 'nothing half-done is left')
  assert.match((await bale.try(['build', join(bale.directory, 'nowhere')])).stderr, /path ".*nowhere" not found/)
})

test('outputs: tar, an archive that is loaded again with the same ID, and no image left behind', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const directory = context(place, 'c', {
    Dockerfile: 'FROM busybox:1 AS b\nRUN touch /x\nFROM scratch\nCOPY --from=b /x /x\nCOPY --from=b /etc /etc',
  })
  const tar = join(bale.directory, 'files.tar')
  await bale.run(['build', '--network=none', '-o', `type=tar,dest=${tar}`, directory])
  const listed = await execute('/bin/tar', ['-tf', tar])
  assert.deepEqual(listed.stdout.split('\n').filter(Boolean), ['etc/', 'etc/group', 'etc/passwd', 'x'])
  const archive = join(bale.directory, 'image.tar')
  await bale.run(['build', '--network=none', '-t', 'made:1', '-o', `type=docker,dest=${archive}`, directory])
  assert.equal((await bale.run(['images', '-q'])).split('\n').length, 1)
  const loaded = await bale.run(['load', '-i', archive])
  assert.match(loaded, /Loaded image: made:1/)
  const id = await bale.run(['build', '--network=none', '-q', directory])
  assert.equal((await inspect(place, 'made:1')).Id, id)
})

test(
  'an image layout: build -o type=oci,tar=false and save --format oci-dir write one that a build reads',
  options,
  async () => {
    await using place = await prepared()
    const { bale } = place
    const directory = context(place, 'c', { Dockerfile: 'FROM busybox:1\nLABEL made=here' })
    const layout = join(bale.directory, 'layout')
    await bale.run(['build', '-t', 'made:1', '-o', `type=oci,tar=false,dest=${layout}`, directory])
    assert.equal((await bale.run(['images', '-q'])).split('\n').length, 1, 'no image is left in the store')
    const id = await bale.run(['build', '-q', '-t', 'made:2', directory])
    await bale.run(['save', '--format', 'oci-dir', '-o', layout, 'made:2'])
    const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'))
    const annotations = index.manifests.map((entry: { annotations: Record<string, string> }) => entry.annotations)
    assert.deepEqual(annotations, [
      { 'io.containerd.image.name': 'docker.io/library/made:1', 'org.opencontainers.image.ref.name': '1' },
      { 'io.containerd.image.name': 'docker.io/library/made:2', 'org.opencontainers.image.ref.name': '2' },
    ])
    const again = context(place, 'again', { Dockerfile: 'FROM base' })
    const words = ['--build-context', `base=oci-layout://${layout}:1`]
    assert.equal(await bale.run(['build', '-q', ...words, again]), id)
    const unnamed = join(bale.directory, 'unnamed')
    await bale.run(['build', '-o', `type=docker,tar=false,dest=${unnamed}`, directory])
    assert.match(readFileSync(join(unnamed, 'index.json'), 'utf8'), /"org.opencontainers.image.ref.name":"latest"/)
    const refused: [string[], RegExp][] = [
      [['build', '-o', 'type=oci,tar=false', directory], /needs dest=DIRECTORY/],
      [['build', '-o', `type=tar,tar=false,dest=${layout}`, directory], /tar=false does not go with type=tar/],
      [['build', '-o', `type=oci,tar=no,dest=${layout}`, directory], /neither true nor false/],
      [['build', '-o', `type=oci,tar=false,dest=${layout}/index.json`, directory], /is not a directory/],
      [['save', '--format', 'oci-dir', 'made:2'], /needs a directory/],
      [['save', '--format', 'docker-dir', '-o', layout, 'made:2'], /unknown format docker-dir/],
    ]
    for (const [args, words] of refused) assert.match((await bale.try(args)).stderr, words)
  },
)

test('secrets reach their step and nothing else; --no-cache runs all again (B09)', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const directory = context(place, 'c', {
    Dockerfile:
      'FROM busybox:1\nRUN --mount=type=secret,id=a --mount=type=secret,id=b cat /run/secrets/a /run/secrets/b | wc -c',
  })
  const canary = `canary-${crypto.randomUUID()}`
  const file = join(bale.directory, 'secret-file')
  writeFileSync(file, canary)
  const words = [
    'build',
    '--network=none',
    '--secret',
    `id=a,src=${file}`,
    '--secret',
    'id=b,env=SECRET_B',
    '-t',
    's',
    directory,
  ]
  const built = await bale.try(words, { env: { SECRET_B: canary } })
  assert.match(built.stderr, new RegExp(` ${canary.length * 2}\n`))
  assert.match(
    (await bale.try([...words.slice(0, -1), '--no-cache', directory], { env: { SECRET_B: canary } })).stderr,
    /DONE/,
  )
  const found = await execute('/bin/grep', ['-rlaF', canary, join(bale.directory, 'root'), join(bale.directory, 'run')])
  assert.equal(found.stdout, '')
  const missing = await bale.try(words)
  assert.match(missing.stderr, /the variable SECRET_B is not set/)
  writeFileSync(join(bale.directory, 'big'), Buffer.alloc(500 * 1024 + 1))
  const big = await bale.try(['build', '--secret', `id=a,src=${join(bale.directory, 'big')}`, directory])
  assert.equal(big.code, 1)
  assert.match(big.stderr, /^bale: secret a is too big: the largest is 512000 bytes/, 'told before anything is built')
})

test('Ctrl-C ends a build with all its processes and mounts (B13)', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const directory = context(place, 'c', { Dockerfile: 'FROM busybox:1\nRUN echo begun; sleep 123 & sleep 123' })
  const child = spawn(resolve('bin/bale'), ['build', '--network=none', directory], {
    env: bale.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let seen = ''
  const code = await new Promise<number | null>((done) => {
    child.stderr.on('data', (chunk: Buffer) => {
      seen += chunk.toString()
      if (/#2 [\d.]+ begun/.test(seen) && !child.killed) child.kill('SIGINT')
    })
    child.on('close', (status) => done(status))
  })
  assert.equal(code, 130, seen)
  const processes = await execute('/bin/ps', ['-eo', 'args'])
  assert.doesNotMatch(processes.stdout, /^sleep 123$/m)
  assert.doesNotMatch(readTextSync('/proc/self/mountinfo'), new RegExp(`${bale.directory}/run/(?:rootfs|builds)/`))
})

test('what a build tells machines: IDs to build on, digests, single stages without the cache', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const directory = context(place, 'told', {
    Dockerfile: 'FROM busybox:1 AS one\nRUN echo one > /one\nFROM busybox:1\nCOPY --from=one /one /\n',
    Above: 'ARG BELOW\nFROM $BELOW\nRUN cat /one > /two\n',
  })
  const at = (name: string) => join(bale.directory, name)
  const files = ['--iidfile', at('id'), '--metadata-file', at('facts')]
  await bale.run(['build', '--network', 'none', '-t', 'told', ...files, directory])
  const id = readTextSync(at('id'))
  const facts = JSON.parse(readTextSync(at('facts')))
  assert.equal((await inspect(place, 'told')).Id, id)
  assert.equal(facts['containerimage.config.digest'], id)
  assert.match(facts['containerimage.digest'], /^sha256:[0-9a-f]{64}$/)
  assert.equal(facts['containerimage.descriptor'].digest, facts['containerimage.digest'])
  assert.equal(facts['image.name'], 'docker.io/library/told:latest')
  for (const below of [id, id.slice('sha256:'.length), id.slice('sha256:'.length).slice(0, 12)]) {
    const words = ['build', '--network', 'none', '-f', join(directory, 'Above'), '--build-arg', `BELOW=${below}`]
    assert.equal((await bale.try([...words, '--pull', directory])).code, 0, below)
  }
  const again = await bale.try(['build', '--network', 'none', '--no-cache-filter', 'none,One', directory])
  assert.match(again.stderr, /RUN echo one > \/one\n#\d+ DONE/)
  assert.equal(again.stderr.match(/CACHED/g)?.length, 3)
})
