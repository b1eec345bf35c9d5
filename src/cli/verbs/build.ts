import { writeFile } from 'node:fs/promises'
import { BaleError, isBaleError, printable } from '#base'
import type { BuildImageOptions, BuildOutput, BuildSecretSource } from '#engine'
import { createBuildProgress } from '../render/build-progress.ts'
import { defineVerb, type Terminal } from '../verb.ts'

interface Options {
  tag?: string[]
  file?: string
  target?: string
  buildArg?: string[]
  cache?: boolean
  noCacheFilter?: string[]
  quiet?: boolean
  iidfile?: string
  label?: string[]
  pull?: boolean
  platform?: string
  network?: string
  addHost?: string[]
  progress?: string
  secret?: string[]
  buildContext?: string[]
  output?: string[]
  allow?: string[]
  shmSize?: string
  metadataFile?: string
}

const REFUSED_CACHE = 'the cache is in the store; it is neither imported nor exported yet'
const REFUSED_LIMITS = 'limits for build steps are not there yet'

export const verb = defineVerb<Options>({
  name: 'build',
  summary: 'Build an image from a Dockerfile',
  usage: 'PATH|URL|-',
  arguments: { min: 1, max: 1 },
  options: [
    { flags: '-t, --tag <NAME>', description: 'Name the image; may be given several times', repeat: true },
    { flags: '-f, --file <FILE>', description: 'Name of the Dockerfile, PATH/Dockerfile by default; - is stdin' },
    { flags: '--target <STAGE>', description: 'Build up to this stage' },
    {
      flags: '--build-arg <NAME=VALUE>',
      description: 'Give an ARG a value; NAME alone takes it from the environment',
      repeat: true,
    },
    { flags: '--no-cache', description: 'Take no step from the cache' },
    { flags: '--no-cache-filter <STAGE>', description: 'Take no step of these stages from the cache', repeat: true },
    { flags: '-q, --quiet', description: 'Print only the image ID' },
    { flags: '--iidfile <FILE>', description: 'Write the image ID to a file' },
    { flags: '--metadata-file <FILE>', description: 'Write what was built as JSON to a file' },
    { flags: '--label <KEY=VALUE>', description: 'Add a label to the image', repeat: true },
    { flags: '--pull', description: 'Ask the registry for newer base images' },
    { flags: '--platform <OS/ARCH>', description: 'Build for another platform' },
    { flags: '--network <MODE>', description: 'Network of RUN: default, none or host' },
    { flags: '--add-host <NAME:ADDRESS>', description: 'Add a line to /etc/hosts of RUN', repeat: true },
    {
      flags: '--progress <FORM>',
      description: 'How progress is shown: auto or plain',
      choices: ['auto', 'plain', 'quiet'],
    },
    {
      flags: '--secret <ID>',
      description: 'Give RUN --mount=type=secret a value: id=NAME,src=FILE or id=NAME,env=VARIABLE',
      repeat: true,
    },
    {
      flags: '--build-context <NAME=PATH>',
      description: 'A further context: NAME=FOLDER, NAME=docker-image://IMAGE, NAME=URL',
      repeat: true,
    },
    {
      flags: '-o, --output <TARGET>',
      description: 'Where the result goes: type=image|local|tar|oci|docker,dest=PATH',
      repeat: true,
    },
    { flags: '--allow <RIGHT>', description: 'Allow RUN network.host or security.insecure', repeat: true },
    { flags: '--shm-size <BYTES>', description: 'Size of /dev/shm in RUN' },
    { flags: '--load', description: 'Accepted for docker; the image always goes to the store', hidden: true },
    { flags: '--rm', description: 'Accepted for docker; nothing is left behind', hidden: true },
    { flags: '--force-rm', description: 'Accepted for docker; nothing is left behind', hidden: true },
    { flags: '--disable-content-trust', description: 'Accepted for docker; there is no content trust', hidden: true },
    { flags: '--builder <NAME>', description: 'Other builders', hidden: true, refused: 'bale builds by itself' },
    { flags: '--push', description: 'Push the result', hidden: true, refused: 'build first, then bale push' },
    {
      flags: '--ssh <AGENT>',
      description: 'SSH agents',
      hidden: true,
      refused: 'SSH agents are not forwarded yet; use --secret',
    },
    {
      flags: '--squash',
      description: 'One layer',
      hidden: true,
      refused: 'layers are not squashed; use several stages and COPY --from',
    },
    {
      flags: '--compress',
      description: 'Compressed context',
      hidden: true,
      refused: 'the context is read where it lies; there is nothing to compress',
    },
    { flags: '--isolation <MODE>', description: 'Isolation', hidden: true, refused: 'it is a matter of Windows' },
    {
      flags: '--security-opt <OPTION>',
      description: 'Security options',
      hidden: true,
      refused: 'steps run with the default profile',
    },
    { flags: '--cgroup-parent <PATH>', description: 'Parent control group', hidden: true, refused: REFUSED_LIMITS },
    { flags: '--ulimit <LIMIT>', description: 'Limits', hidden: true, refused: REFUSED_LIMITS },
    { flags: '-m, --memory <BYTES>', description: 'Memory limit', hidden: true, refused: REFUSED_LIMITS },
    { flags: '--memory-swap <BYTES>', description: 'Swap limit', hidden: true, refused: REFUSED_LIMITS },
    { flags: '-c, --cpu-shares <SHARES>', description: 'CPU shares', hidden: true, refused: REFUSED_LIMITS },
    { flags: '--cpu-period <TIME>', description: 'CPU period', hidden: true, refused: REFUSED_LIMITS },
    { flags: '--cpu-quota <TIME>', description: 'CPU quota', hidden: true, refused: REFUSED_LIMITS },
    { flags: '--cpuset-cpus <CPUS>', description: 'CPUs', hidden: true, refused: REFUSED_LIMITS },
    { flags: '--cpuset-mems <NODES>', description: 'Memory nodes', hidden: true, refused: REFUSED_LIMITS },
    { flags: '--cache-from <SOURCE>', description: 'Cache import', hidden: true, repeat: true, refused: REFUSED_CACHE },
    { flags: '--cache-to <TARGET>', description: 'Cache export', hidden: true, repeat: true, refused: REFUSED_CACHE },
    {
      flags: '--annotation <KEY=VALUE>',
      description: 'Annotations',
      hidden: true,
      repeat: true,
      refused: 'use --label; annotations are not there yet',
    },
    {
      flags: '--attest <KIND>',
      description: 'Attestations',
      hidden: true,
      repeat: true,
      refused: 'attestations are not there yet',
    },
    {
      flags: '--provenance <MODE>',
      description: 'Provenance',
      hidden: true,
      refused: 'attestations are not there yet',
    },
    { flags: '--sbom <MODE>', description: 'SBOM', hidden: true, refused: 'attestations are not there yet' },
    { flags: '--check', description: 'Lint', hidden: true, refused: 'Dockerfiles are not linted yet' },
    { flags: '--call <METHOD>', description: 'Subrequests', hidden: true, refused: 'Dockerfiles are not linted yet' },
  ],
  examples: [
    { command: 'bale build -t webserver .', explains: 'The Dockerfile and the files of this folder' },
    {
      command: 'bale build -t app --target runtime --build-arg VERSION=1.2 -f deploy/Dockerfile .',
      explains: 'One stage, with an argument',
    },
    {
      command: 'bale build -t app - < Dockerfile',
      explains: 'A Dockerfile alone, or a tar with all files, from stdin',
    },
    {
      command: 'bale build --secret id=npm,src=$HOME/.npmrc -o type=local,dest=out .',
      explains: 'Files instead of an image',
    },
  ],
  /** docker's: that of the RUN that failed, if it could be started. */
  failureCodeOf(error) {
    if (!isBaleError(error, 'BUILD_FAILED')) return undefined
    const { exitCode, started } = error.details
    return typeof exitCode === 'number' && exitCode > 0 && started ? exitCode : undefined
  },
  async run({ args, options, engine, io, signal }) {
    const request = readRequest(args[0]!, options, io)
    const isQuiet = options.quiet || options.progress === 'quiet'
    const progress = createBuildProgress(io, { quiet: isQuiet })
    const { id, names } = await engine.buildImage({ ...(await request), signal, progress: progress.report })
    progress.finish()
    if (options.iidfile !== undefined) await writeFile(options.iidfile, id)
    if (options.metadataFile !== undefined) {
      const facts = { 'containerimage.config.digest': id, 'image.name': names.join(',') }
      await writeFile(options.metadataFile, `${JSON.stringify(facts, undefined, 2)}\n`)
    }
    if (options.quiet) await io.print(id)
    else if (!isQuiet) io.warn(`image ${id}${names.map((name) => `\nnamed ${name}`).join('')}`)
    return 0
  },
})

async function readRequest(place: string, options: Options, io: Terminal): Promise<BuildImageOptions> {
  const { context, dockerfile } = await readInputs(place, options.file, io)
  const [network, allow] = readNetwork(options)
  return {
    context,
    dockerfile,
    network,
    allow,
    tags: options.tag,
    target: options.target,
    platform: readPlatform(options.platform),
    pull: options.pull,
    noCache: options.cache === false,
    noCacheStages: options.noCacheFilter?.flatMap((names) => names.split(',')),
    buildArguments: new Map((options.buildArg ?? []).map(splitPair)),
    labels: Object.fromEntries((options.label ?? []).map(splitPair).map(([key, value]) => [key, value ?? ''])),
    hosts: options.addHost?.map((host) => host.replace('=', ':')),
    secrets: options.secret?.map(readSecret),
    buildContexts: new Map((options.buildContext ?? []).map(readContext)),
    outputs: options.output?.map((output) => readOutput(output, io)),
    shmSize: options.shmSize === undefined ? undefined : readBytes(options.shmSize),
  }
}

async function readInputs(
  place: string,
  file: string | undefined,
  io: Terminal,
): Promise<Pick<BuildImageOptions, 'context' | 'dockerfile'>> {
  if (/^(?:git|ssh):\/\/|^git@|^github\.com\/|^https?:\/\/[^?#]+\.git(?:[?#]|$)/.test(place)) {
    throw new BaleError('UNSUPPORTED', `git repositories are not supported as a context yet: ${printable(place)}`, {
      hint: 'git clone it, then bale build FOLDER',
    })
  }
  if (place === '-' && file === '-') {
    throw new BaleError('INVALID_ARGUMENT', "invalid argument: can't use stdin for both build context and dockerfile")
  }
  const context: BuildImageOptions['context'] =
    place === '-'
      ? { kind: 'stream', stream: io.stdin }
      : /^https?:\/\//.test(place)
        ? { kind: 'url', url: place }
        : { kind: 'folder', path: place }
  if (file === undefined) return { context, dockerfile: undefined }
  if (file !== '-') return { context, dockerfile: { kind: 'path', path: file } }
  const chunks: Uint8Array[] = await Array.fromAsync(io.stdin as AsyncIterable<Uint8Array>)
  return { context, dockerfile: { kind: 'text', text: Buffer.concat(chunks).toString('utf8'), name: 'stdin' } }
}

function readNetwork({ network = 'default', allow = [] }: Options): [BuildImageOptions['network'], string[]] {
  const allowed = allow.flatMap((rights) => rights.split(','))
  for (const right of allowed) {
    if (right === 'network.host' || right === 'security.insecure') continue
    throw new BaleError('INVALID_ARGUMENT', `unknown right: --allow ${printable(right)}`, {
      hint: 'rights are network.host and security.insecure',
    })
  }
  if (network === 'default' || network === 'bridge') return ['bridge', allowed]
  if (network === 'none') return ['none', allowed]
  if (network === 'host') return ['host', [...allowed, 'network.host']]
  throw new BaleError('INVALID_ARGUMENT', `network ${printable(network)} is not there for builds`, {
    hint: '--network is default, none or host',
  })
}

function readPlatform(platform: string | undefined): string | undefined {
  if (!platform?.includes(',')) return platform
  throw new BaleError('UNSUPPORTED', 'one build makes an image for one platform', {
    hint: 'build each, then put them together with bale manifest create',
  })
}

function splitPair(text: string): [string, string | undefined] {
  const equals = text.indexOf('=')
  return equals < 0 ? [text, undefined] : [text.slice(0, equals), text.slice(equals + 1)]
}

function readContext(text: string): [string, string] {
  const [name, place] = splitPair(text)
  if (name !== '' && place) return [name.toLowerCase(), place]
  throw new BaleError('INVALID_ARGUMENT', `invalid context value: ${printable(text)}, expected name=path`)
}

/** `type=local,dest=out` as a table of fields. */
function fields(text: string): Map<string, string> {
  return new Map(text.split(',').map((field) => [splitPair(field)[0].toLowerCase(), splitPair(field)[1] ?? '']))
}

function readSecret(text: string): BuildSecretSource {
  const given = fields(text)
  const kind = given.get('type')
  const file = given.get('src') ?? given.get('source')
  const variable = given.get('env')
  const unknown = [...given.keys()].find((key) => !['id', 'src', 'source', 'env', 'type'].includes(key))
  const id = given.get('id') ?? ''
  if (unknown !== undefined || id === '' || (file !== undefined && variable !== undefined)) {
    throw new BaleError('INVALID_ARGUMENT', `invalid secret: ${printable(text)}`, {
      hint: '--secret id=NAME,src=FILE or id=NAME,env=VARIABLE',
    })
  }
  if (kind === 'env') return { id, variable: variable ?? file ?? id }
  return kind === 'file' ? { id, file: file ?? id } : { id, file, variable }
}

function readOutput(text: string, io: Terminal): BuildOutput {
  if (!text.includes('='))
    return text === '-' ? { type: 'tar', to: { stream: io.stdout } } : { type: 'local', folder: text }
  const given = fields(text)
  const type = given.get('type')
  const destination = given.get('dest') ?? given.get('destination') ?? ''
  const name = given.get('name')
  const to = destination === '' || destination === '-' ? { stream: io.stdout } : { file: destination }
  const unknown = [...given.keys()].find((key) => !['type', 'dest', 'destination', 'name'].includes(key))
  if (unknown !== undefined) {
    throw new BaleError('UNSUPPORTED', `--output: the option ${printable(unknown)} is not supported`, {
      hint: 'type=, dest= and name= are',
    })
  }
  switch (type) {
    case 'image':
      return { type, name }
    case 'tar':
      return { type, to }
    case 'oci':
      return { type, to, name }
    case 'docker':
      return destination === '' ? { type: 'image', name } : { type, to, name }
    case 'local':
      if (destination !== '') return { type, folder: destination }
      throw new BaleError('INVALID_ARGUMENT', '--output type=local needs dest=FOLDER')
    default:
      throw new BaleError('UNSUPPORTED', `--output type=${printable(type ?? '')} is not supported`, {
        hint: 'types are image, local, tar, oci and docker',
      })
  }
}

function readBytes(text: string): number {
  const match = /^(\d+)([kmg]?)b?$/i.exec(text)
  if (match) return Number(match[1]) * 1024 ** ' kmg'.indexOf(match[2]!.toLowerCase() || ' ')
  throw new BaleError('INVALID_ARGUMENT', `invalid size: ${printable(text)}`, { hint: 'for example 64m' })
}
