/**
 * Everything that reads text or bytes from outside, each with inputs that it understands. `read` may refuse an input with a
 * BaleError or, where a caller gives it one, a class of its own; any other error, or a wrong result, is a fault.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { isBaleError } from '#base'
import { compilePattern, parseEnvironmentFile } from '#docker'
import { decompressAny } from '#format/compression'
import {
  parseImageConfig,
  parseJson,
  parseManifest,
  parsePlatform,
  parseReferenceOrDigest,
  parseRegistryErrors,
} from '#spec'
import { createPatternSet, parseIgnoreFile } from '../../src/build/context/pattern-set.ts'
import { Mistake, parseDockerfile } from '../../src/build/dockerfile/index.ts'
import { planAll, planBuild } from '../../src/build/plan-build.ts'
import { compileTemplate } from '../../src/cli/render/go-template/index.ts'
import { parseContainer } from '../../src/container/records/parse-container.ts'
import {
  lastLoggedError,
  monitorAnswers,
  netavarkReason,
  runtimeState,
  stderrReason,
} from '../../src/container/runtime/answers.ts'
import { parseSeccompProfile } from '../../src/container/seccomp/seccomp-filter.ts'
import { readDaemonJson } from '../../src/engine/registries/daemon-json.ts'
import { ForeignFile } from '../../src/engine/registries/foreign-file.ts'
import { readRegistriesConf } from '../../src/engine/registries/registries-conf.ts'
import { packTar } from '../../src/format/tar/index.ts'
import { Refusal } from '../../src/registry/http/failure.ts'
import { parseContentRange, parseRange } from '../../src/registry/http/range.ts'
import { parseRoute } from '../../src/registry/http/route.ts'
import { openArchive } from '../../src/transport/archive/index.ts'
import { readCredentialText } from '../../src/transport/credentials/credential-file.ts'
import { readNamedImages } from '../../src/transport/layout/named-images.ts'
import { parseChallenges } from '../../src/transport/remote/challenge.ts'
import { directoryEntry, file, link, reassembled, tarOf, writeLayer } from '../kit/layer-kit.ts'
import { scanTar } from '../kit/scanned-tar.ts'

export interface FuzzTarget {
  name: string
  seeds(): Promise<readonly (string | Buffer)[]> | readonly (string | Buffer)[]
  /** Checks results where something can be said of them. */
  read(input: Buffer): unknown
  /** Classes that callers turn into errors with words. */
  refusals?: readonly (abstract new (
    ...args: never[]
  ) => Error)[]
}

/** True for an error that an input may have. */
export function isRefusal(error: unknown, target: FuzzTarget): boolean {
  // INTERNAL is what bale says of its own faults.
  if (isBaleError(error)) return error.code !== 'INTERNAL'
  return target.refusals?.some((refusal) => error instanceof refusal) ?? false
}

const digest = (letter: string) => `sha256:${letter.repeat(64)}`
const sha256 = (content: string) => `sha256:${createHash('sha256').update(content).digest('hex')}`
const json = (value: unknown) => JSON.stringify(value)
const text = (input: Buffer) => input.toString('utf8')

const descriptor = (mediaType: string, letter: string) => ({ mediaType, digest: digest(letter), size: 7 })
const MANIFEST = {
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  config: descriptor('application/vnd.oci.image.config.v1+json', 'a'),
  layers: [descriptor('application/vnd.oci.image.layer.v1.tar+gzip', 'b')],
  annotations: { 'org.example.key': 'value' },
}
const INDEX = {
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.index.v1+json',
  manifests: [
    { ...descriptor(MANIFEST.mediaType, 'c'), platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
    { ...descriptor(MANIFEST.mediaType, 'd'), annotations: { 'org.opencontainers.image.ref.name': 'web:1' } },
  ],
}
const CONFIG = {
  created: '2026-01-02T03:04:05.678Z',
  os: 'linux',
  architecture: 'amd64',
  config: {
    ...{
      User: '1:2',
      Env: ['PATH=/bin', 'A=b'],
      Cmd: ['sh'],
      Entrypoint: ['/e'],
      WorkingDir: '/w',
      Labels: { a: 'b' },
    },
    ...{ ExposedPorts: { '80/tcp': {} }, Volumes: { '/v': {} }, Healthcheck: { Test: ['CMD', 'x'], Interval: 1e9 } },
    StopSignal: 'SIGTERM',
  },
  rootfs: { type: 'layers', diff_ids: [digest('b')] },
  history: [{ created: '2026-01-02T03:04:05Z', created_by: 'COPY a b' }, { empty_layer: true }],
}

async function tars(): Promise<Buffer[]> {
  const xattrs = new Map([['user.x', Buffer.from('y')]])
  return [
    await tarOf([directoryEntry('a'), file('a/b', 'text'), link('a/c', 'b'), link('a/d', 'a/b', 'hardlink')]),
    await tarOf([file(`${'long/'.repeat(40)}name`, 'x'), file('a/.wh.b', ''), file('a/.wh..wh..opq', '')]),
    await tarOf([file('m', 'x'.repeat(600), { mode: 0o4755, uid: 3_000_000, mtime: -1, mtimeNanoseconds: 5, xattrs })]),
  ]
}

/** Mutated headers would hardly ever have a right sum. */
function withSums(tar: Buffer): Buffer {
  const mended = Buffer.from(tar)
  for (let at = 0; at + 512 <= mended.length; at += 512) {
    if (mended.toString('latin1', at + 257, at + 262) !== 'ustar') continue
    mended.fill(0x20, at + 148, at + 156)
    const sum = mended.subarray(at, at + 512).reduce((total, byte) => total + byte, 0)
    mended.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1')
  }
  return mended
}

const DOCKERFILES = [
  [
    ...['# syntax=docker/dockerfile:1', '# check=skip=all;error=false', 'ARG V=1', `FROM base:\${V:-2} AS one`],
    ...['RUN --mount=type=cache,target=/c,id=x --network=none echo $V && \\', '  # note', '  true'],
    ...[
      'FROM --platform=$BUILDPLATFORM scratch',
      'COPY --from=one --chown=1:2 --chmod=u+x --exclude=*.o --link /a* /b/',
    ],
    `ADD --checksum=${digest('a')} https://example.test/x /x`,
  ],
  [
    ...['FROM base', `ENV A=b C="d $A" E='f'`, 'ENV old form', 'LABEL a=b "c d"="e"', 'WORKDIR /w', 'USER 1:2'],
    ...['EXPOSE 80/tcp 90-92', 'VOLUME ["/a", "/b"]', 'STOPSIGNAL SIGTERM', 'SHELL ["/bin/sh", "-c"]', 'CMD ["a"]'],
    ...[
      'ENTRYPOINT a b',
      `RUN echo \${A:+x}`,
      `ENV X=\${A#b} Y=\${C%%z} Z=\${D/a/b}`,
      'ONBUILD RUN x',
      'HEALTHCHECK --interval=3s --retries=2 CMD x',
      'ARG A B=c',
    ],
  ],
  [
    ...['#escape=`', 'FROM base', 'RUN <<EOF cat <<-"X" ', 'echo $A', 'EOF', '\tx', '\tX'],
    ...['COPY <<a <<b /d/', '1', 'a', '2', 'b', 'RUN ["sh", "-c", "x"]'],
    ...['RUN echo $A $B `', '  more'],
  ],
].map((lines) => `${lines.join('\n')}\n`)

async function planDockerfile(input: Buffer): Promise<void> {
  const machine = { os: 'linux', architecture: 'amd64' }
  const dockerfile = parseDockerfile(text(input))
  const config = parseImageConfig(Buffer.from(json(CONFIG)))
  const plan = planBuild(
    dockerfile,
    { buildArguments: new Map([['V', '3']]) },
    {
      machine,
      ignore: ['*.o'],
      found: ({ rule }) => assert.notEqual(rule, ''),
      findImage: async ({ reference, platform }) => ({ config, platform, reference, shown: reference }),
    },
  )
  await planAll(
    plan.graph,
    plan.scope.plan.stages.map(({ index }) => String(index)),
  )
}

async function archives(): Promise<Buffer[]> {
  const layer = (await tars())[0]!
  const manifest = json(MANIFEST)
  const names = (name: string, content: string | Buffer) => {
    const data = Buffer.from(content as string)
    return { entry: { name, type: 'file' as const, size: data.length }, data }
  }
  const pack = async (entries: Iterable<ReturnType<typeof names>>) =>
    Buffer.concat(await Array.fromAsync(packTar(entries)))
  return [
    await pack([
      names('manifest.json', json([{ Config: 'c.json', RepoTags: ['web:1'], Layers: ['l/layer.tar'] }])),
      names('c.json', json(CONFIG)),
      names('l/layer.tar', layer),
    ]),
    await pack([
      names('oci-layout', json({ imageLayoutVersion: '1.0.0' })),
      names(
        'index.json',
        json({ ...INDEX, manifests: [{ ...INDEX.manifests[1], digest: sha256(manifest), size: manifest.length }] }),
      ),
      names(`blobs/sha256/${sha256(manifest).slice(7)}`, manifest),
    ]),
  ]
}

async function openAnyArchive(input: Buffer): Promise<void> {
  async function* pieces() {
    yield withSums(input)
  }
  await using archive = await openArchive(pieces())
  for (const { descriptor } of archive.images()) assert.ok(descriptor.size >= 0)
}

const CONTAINER = {
  ...{ image: 'web', platform: { os: 'linux', architecture: 'amd64' }, host: {}, mounts: [], stubs: [], version: 2 },
  config: { Hostname: 'h', Domainname: '', Env: [], Labels: {}, Tty: false },
  state: { status: 'exited', exitCode: 0, restartCount: 0 },
  ...{ networks: [{ network: 'app', aliases: ['a'] }], connections: [] },
}

export const TARGETS: readonly FuzzTarget[] = [
  {
    name: 'tar',
    seeds: tars,
    read(input) {
      const tar = withSums(input)
      const whole = scanTar(tar)
      assert.ok(whole.retold.equals(tar), 'structure and data together are the tar')
      assert.deepEqual(scanTar(tar, { chunkSize: 97 }), whole, 'pieces say the same as the whole')
    },
  },
  {
    name: 'layer',
    seeds: tars,
    async read(input) {
      const tar = withSums(input)
      assert.ok((await reassembled(await writeLayer(tar))).equals(tar), 'the tar comes back')
    },
  },
  { name: 'archive', seeds: archives, read: openAnyArchive },
  {
    name: 'compressed',
    seeds: () => [gzipSync('text '.repeat(50)), zstdCompressSync('text '.repeat(50)), Buffer.from('plain')],
    async read(input) {
      async function* pieces() {
        yield input
      }
      for await (const _ of decompressAny(pieces(), { limits: { outputBytes: 1 << 20 } }));
    },
  },
  { name: 'dockerfile', seeds: () => DOCKERFILES, read: planDockerfile },
  {
    name: 'dockerignore',
    seeds: () => ['# note\n*.o\n!a/**/b?.[ch]\n/build\n**/x\\y\n', '\ufeffa\r\n..\n[^a-z]*\n'],
    read: (input) => createPatternSet(parseIgnoreFile(text(input))).matches('a/b/bx.c'),
    refusals: [Mistake],
  },
  {
    name: 'manifest',
    seeds: () => [json(MANIFEST), json(INDEX)],
    read: (input) => parseManifest(input),
  },
  { name: 'config', seeds: () => [json(CONFIG)], read: (input) => parseImageConfig(input) },
  { name: 'layout', seeds: () => [json(INDEX)], read: (input) => readNamedImages(input) },
  {
    name: 'name',
    seeds: () => ['registry.example:5000/team/web:1.2', `web@${digest('a')}`, digest('b'), '[::1]:5000/a__b'],
    read: (input) => parseReferenceOrDigest(text(input)),
  },
  {
    name: 'platform',
    seeds: () => ['linux/arm64/v8', 'linux/amd64', 'arm'],
    read: (input) => parsePlatform(text(input)),
  },
  {
    name: 'template',
    seeds: () => [
      '{{range $i, $e := .Config.Env}}{{$i}}={{printf "%-5q|%x" $e $i}}{{else}}none{{end}}',
      '{{if and .ID (not .Names)}}{{json .Config.Labels}}{{end}}{{- /* note */ -}}{{with .Names}}{{join . ","}}{{end}}',
      'table {{.ID | upper}}\t{{index .Config.Labels "a"}}{{slice .ID 1 3}}{{len .Config.Env}}{{eq .ID "x"}}',
    ],
    read: (input) =>
      compileTemplate(text(input))({ ID: 'abcdef', Names: ['n'], Config: { Env: ['a=b'], Labels: { a: 'b' } } }),
  },
  {
    name: 'pattern',
    seeds: () => ['^a(b|c)*d+?[e-h[:alpha:]]{2,3}\\d\\pL$', '(?i:x)\\Qa.b\\E(?P<n>y)[^\\n]', '\\x{1F600}|\\101|.*'],
    read: (input) => compilePattern(text(input))?.test('some text 12345'),
  },
  {
    name: 'environment',
    seeds: () => ['A=b\n# note\nC\n D=e\r\nF=g=h\n'],
    read: (input) => parseEnvironmentFile(text(input), { A: 'x' } as never),
    refusals: [Error],
  },
  {
    name: 'request',
    seeds: () => [
      '/v2/team/web/manifests/1.2',
      `/v2/a/b/blobs/${digest('a')}`,
      'bytes=0-5',
      '0-1023',
      '/v2/a/referrers/sha256%3A0',
    ],
    read: (input) => [parseRoute(text(input)), parseRange(text(input), 100), parseContentRange(text(input))],
    refusals: [Refusal],
  },
  {
    name: 'answer',
    seeds: () => [
      'Bearer realm="https://auth.example/token",service="r",scope="repository:a:pull", Basic realm=x',
      json({ errors: [{ code: 'DENIED', message: 'no', detail: { a: 1 } }] }),
    ],
    read: (input) => [parseChallenges(text(input)), parseRegistryErrors(text(input))],
  },
  {
    name: 'registries',
    seeds: () => [
      'unqualified-search-registries = ["r.example"]\nshort-name-mode = "enforcing"\n[[registry]]\nprefix = "*.example"\nlocation = "r.example/x"\ninsecure = true\nblocked = false\n[[registry.mirror]]\nlocation = "m.example"\npull-from-mirror = "digest-only"\n[aliases]\n"web" = "r.example/web"\n',
    ],
    async read(input) {
      const warnings: string[] = []
      await readRegistriesConf(
        new ForeignFile('registries.conf', text(input), (warning) => void warnings.push(warning)),
      )
    },
  },
  {
    name: 'daemon',
    seeds: () => [
      json({ 'registry-mirrors': ['https://m.example'], 'insecure-registries': ['10.0.0.0/8', 'r.example:5000'] }),
    ],
    read: (input) => readDaemonJson(new ForeignFile('daemon.json', text(input), () => undefined)),
  },
  {
    name: 'credentials',
    seeds: () => [
      json({
        auths: { 'https://r.example/v1/': { auth: 'YTpi' }, x: { identitytoken: 't' } },
        credsStore: 's',
        credHelpers: { y: 'h' },
      }),
    ],
    read(input) {
      const credentials = readCredentialText('config', text(input))
      for (const key of ['r.example', 'x', 'y', '__proto__']) credentials.helper(key) ?? credentials.credential(key)
    },
  },
  {
    name: 'programs',
    seeds: () => [
      '{"data": 12}\n{"data": -1, "message": "exec: \\"x\\": not found"}\n',
      '{"level":"error","msg":"no","time":"now"}\n{"level":"fatal","msg":"no more"}\n',
      'time="now" level=error msg="open \\x1b: \\"\\u00e4\\U0001f600\\""\n',
      'log line\n{"error": "iptables: \\"x\\""}\n',
    ],
    async read(input) {
      for await (const { data } of monitorAnswers(ReadableStream.from([input.subarray(0, 9), input.subarray(9)])))
        assert.equal(typeof data, 'number')
      assert.match(typeof lastLoggedError(text(input)), /string|undefined/)
      assert.equal(typeof stderrReason(text(input)), 'string')
      assert.equal(typeof netavarkReason({ stdout: text(input), stderr: '' }), 'string')
    },
  },
  {
    name: 'state',
    seeds: () => [json({ ociVersion: '1.0.2', id: 'c', pid: 7, status: 'running', bundle: '/b' })],
    read: (input) => runtimeState(text(input), 'c'),
  },
  {
    name: 'seccomp',
    seeds: () => [
      json({
        defaultAction: 'SCMP_ACT_ERRNO',
        ...{ defaultErrnoRet: 1, archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] }] },
        syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }] }],
      }),
    ],
    read: (input) => parseSeccompProfile(text(input), 'profile.json'),
  },
  {
    name: 'record',
    seeds: () => [json(CONTAINER)],
    read: (input) =>
      parseContainer({
        id: 'a'.repeat(64),
        name: 'c',
        created: 1,
        layers: [],
        document: parseJson(text(input)),
      } as never),
  },
]
