import { BaleError, printable } from '#base'
import { csvFields, readBoolean } from '#docker'
import type { BuildImageOptions, BuildOutput, BuildSecretSource } from '#engine'
import type { Terminal } from '../terminal/terminal.ts'
import { readAttestations } from './attestation-flags.ts'
import type { BuildFlags } from './build-flags.ts'
import { parseBytes } from './flag-values.ts'

/** The flags as a request to the engine. Reads stdin for `-f -`. Throws INVALID_ARGUMENT or UNSUPPORTED naming the flag. */
export async function readBuildRequest(place: string, options: BuildFlags, io: Terminal): Promise<BuildImageOptions> {
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
    noCache: options.noCache,
    noCacheStages: options.noCacheFilter?.flatMap((names) => names.split(',')),
    buildArguments: new Map((options.buildArg ?? []).map(splitPair)),
    labels: Object.fromEntries((options.label ?? []).map(splitPair).map(([key, value]) => [key, value ?? ''])),
    hosts: options.addHost?.map((host) => host.replace('=', ':')),
    secrets: options.secret?.filter(Boolean).map(readSecret),
    buildContexts: new Map((options.buildContext ?? []).map(readContext)),
    outputs: options.output?.filter(Boolean).map((output) => readOutput(output, io)),
    attestations: readAttestations(options, io),
    shmSize: options.shmSize === undefined ? undefined : parseBytes('shm-size', options.shmSize),
  }
}

/** What to do with a Dockerfile. */
export interface BuildCall {
  method: 'build' | 'check'
  format: 'json' | 'text'
  /** Findings leave the exit code at 0. */
  ignoreStatus: boolean
}

/** `--call check,format=json,ignorestatus=true` and `--check`. Source: docker/buildx, util/buildflags/callfunc.go. */
export function readBuildCall({ call, check }: Pick<BuildFlags, 'call' | 'check'>): BuildCall {
  const result: BuildCall = { method: 'build', format: 'text', ignoreStatus: false }
  const [method = '', ...settings] = check ? ['check'] : readFields(call ?? 'build')
  for (const [key, value] of settings.map(splitPair)) {
    if (key === 'format') result.format = value === 'json' ? 'json' : 'text'
    else if (key === 'ignorestatus') result.ignoreStatus = readTruth(value ?? '')
    else throw new BaleError('INVALID_ARGUMENT', `invalid print field: ${printable(key)}`)
  }
  if (method === 'build') return result
  if (method === 'check' || method === 'lint') return { ...result, method: 'check' }
  throw new BaleError('UNSUPPORTED', `--call ${printable(method)} is not supported`, {
    hint: '--call must be build, check or lint',
  })
}

function readTruth(text: string): boolean {
  try {
    return readBoolean(text)
  } catch (cause) {
    throw new BaleError('INVALID_ARGUMENT', `invalid ignorestatus print value: ${printable(text)}`, { cause })
  }
}

async function readInputs(
  place: string,
  file: string | undefined,
  io: Terminal,
): Promise<Pick<BuildImageOptions, 'context' | 'dockerfile'>> {
  if (/^(?:git|ssh):\/\/|^git@|^github\.com\/|^https?:\/\/[^?#]+\.git(?:[?#]|$)/.test(place)) {
    throw new BaleError('UNSUPPORTED', `git repositories are not supported as a context yet: ${printable(place)}`, {
      hint: 'git clone it, then bale build DIRECTORY',
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
        : { kind: 'directory', path: place }
  if (file === undefined) return { context, dockerfile: undefined }
  if (file !== '-') return { context, dockerfile: { kind: 'path', path: file } }
  const chunks: Uint8Array[] = await Array.fromAsync(io.stdin as AsyncIterable<Uint8Array>)
  return { context, dockerfile: { kind: 'text', text: Buffer.concat(chunks).toString('utf8'), name: 'stdin' } }
}

function readNetwork({ network = 'default', allow = [] }: BuildFlags): [BuildImageOptions['network'], string[]] {
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
  throw new BaleError('INVALID_ARGUMENT', `builds cannot use the network ${printable(network)}`, {
    hint: '--network must be default, none or host',
  })
}

function readPlatform(platform: string | undefined): string | undefined {
  if (!platform?.includes(',')) return platform
  throw new BaleError('UNSUPPORTED', 'a build makes an image for one platform', {
    hint: 'build each, then combine them with bale manifest create',
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
  return new Map(readFields(text).map((field) => [splitPair(field)[0].toLowerCase(), splitPair(field)[1] ?? '']))
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
    return text === '-' ? { type: 'tar', to: { stream: io.stdout } } : { type: 'local', directory: text }
  const given = fields(text)
  const type = given.get('type')
  const destination = given.get('dest') ?? given.get('destination') ?? ''
  const name = given.get('name')
  const to = destination === '' || destination === '-' ? { stream: io.stdout } : { file: destination }
  const isTar = readTar(given.get('tar'))
  const unknown = [...given.keys()].find((key) => !['type', 'dest', 'destination', 'name', 'tar'].includes(key))
  if (unknown !== undefined) {
    throw new BaleError('UNSUPPORTED', `--output: the option ${printable(unknown)} is not supported`, {
      hint: 'type=, dest=, name= and tar= are',
    })
  }
  const layout = isTar ? undefined : { directory: readLayoutDirectory(type, destination) }
  switch (type) {
    case 'image':
      return { type, name }
    case 'tar':
      return { type, to }
    case 'oci':
      return { type, to: layout ?? to, name }
    case 'docker':
      if (layout) return { type, to: layout, name }
      return destination === '' ? { type: 'image', name } : { type, to, name }
    case 'local':
      if (destination !== '') return { type, directory: destination }
      throw new BaleError('INVALID_ARGUMENT', '--output type=local needs dest=DIRECTORY')
    default:
      throw new BaleError('UNSUPPORTED', `--output type=${printable(type ?? '')} is not supported`, {
        hint: 'types are image, local, tar, oci and docker',
      })
  }
}

/** BuildKit's `tar`: true unless said otherwise. */
function readTar(text: string | undefined): boolean {
  try {
    return text === undefined || readBoolean(text)
  } catch (cause) {
    throw new BaleError('INVALID_ARGUMENT', `--output: tar=${printable(text ?? '')} is neither true nor false`, {
      cause,
    })
  }
}

function readLayoutDirectory(type: string | undefined, destination: string): string {
  if (type !== 'oci' && type !== 'docker') {
    throw new BaleError('INVALID_ARGUMENT', `--output: tar=false does not go with type=${printable(type ?? '')}`, {
      hint: 'it goes with type=oci and type=docker',
    })
  }
  if (destination !== '' && destination !== '-') return destination
  throw new BaleError('INVALID_ARGUMENT', `--output type=${type},tar=false needs dest=DIRECTORY`)
}

function readFields(text: string): string[] {
  try {
    return csvFields(text)
  } catch (cause) {
    throw new BaleError('INVALID_ARGUMENT', `invalid value ${printable(text)}: ${(cause as Error).message}`, { cause })
  }
}
