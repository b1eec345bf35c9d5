import { BaleError, printable, table } from '#base'
import { csvFields, parseSize, parseTimestamp, readBoolean, readDuration, readInteger } from '#docker'
import type { DeviceRequest, MountRequest, RestartPolicy, Ulimit } from '#engine'

function invalid(flag: string, value: string, why: string | Error): BaleError {
  const problem = typeof why === 'string' ? why : why.message
  return new BaleError('INVALID_ARGUMENT', `invalid argument ${JSON.stringify(value)} for "--${flag}" flag: ${problem}`)
}

/** Reads a value by its grammar; a mistake is reported with the flag's name. */
function readAs<T>(flag: string, text: string, read: (text: string) => T): T {
  try {
    return read(text)
  } catch (cause) {
    throw invalid(flag, text, cause as Error)
  }
}

/** `64m`, `1.5g`, `1024` as bytes. */
/** Marks the refusal of a well-formed value without a meaning: docker's client passes it on, and its daemon refuses it. */
const WELL_FORMED = { wellFormed: true } as const

export const parseBytes = (flag: string, text: string): number => readAs(flag, text, parseSize)

export const parseWholeNumber = (flag: string, text: string): number => readAs(flag, text, readInteger)

/** Go's durations (`1m30s`, `500ms`) as nanoseconds. */
export const parseDuration = (flag: string, text: string): number => readAs(flag, text, readDuration)

/** Nanoseconds since 1970 of `--since` and the like. A time without a zone is the caller's. */
export function parseTime(flag: string, text: string): bigint {
  try {
    return parseTimestamp(text, Date.now())
  } catch (cause) {
    throw new BaleError('INVALID_ARGUMENT', `invalid value for "${flag}": ${(cause as Error).message}`, { cause })
  }
}

/** `KEY=VALUE` or `KEY` (empty value) as a map. */
export function parseLabels(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf('=')
      if (at === 0 || word === '') throw invalid('label', word, 'a label needs a name')
      return at < 0 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)]
    }),
  )
}

/** `[SOURCE:]TARGET[:OPTIONS]` of `-v`. `resolvePath` makes a relative source absolute (docker: `./x`). */
export function parseVolume(text: string, resolvePath: (path: string) => string): MountRequest | { anonymous: string } {
  const parts = text.split(':')
  if (parts.length > 3 || parts.some((part) => part === ''))
    throw new BaleError('INVALID_ARGUMENT', `invalid volume specification: '${text}'`, {
      hint: 'SOURCE:TARGET[:ro], NAME:TARGET[:ro] or TARGET',
      details: WELL_FORMED,
    })
  if (parts.length === 1) return { anonymous: parts[0]! }
  const [source = '', target = '', options = ''] = parts
  const mount: MountRequest =
    source.startsWith('/') || source.startsWith('.') || source.startsWith('~')
      ? { type: 'bind', source: resolvePath(source), target, createSource: true }
      : { type: 'volume', source, target }
  for (const option of options.split(',').filter(Boolean)) {
    if (option === 'ro') mount.readOnly = true
    else if (option === 'nocopy' && mount.type === 'volume') mount.noCopy = true
    else if (/^r?(private|shared|slave)$/.test(option) && mount.type === 'bind') mount.propagation = option
    // SELinux labels and docker's consistency words have no effect here, as on any Linux without SELinux.
    else if (!['rw', 'z', 'Z', 'cached', 'delegated', 'consistent'].includes(option))
      throw new BaleError('INVALID_ARGUMENT', `invalid mode: ${option}`, {
        hint: 'ro, rw, nocopy, rprivate, rshared, rslave',
        details: WELL_FORMED,
      })
  }
  return mount
}

/** `type=bind,source=…,target=…,readonly` of `--mount`. */
export function parseMount(text: string, resolvePath: (path: string) => string): MountRequest {
  const mount: MountRequest = { type: 'volume', target: '' }
  for (const field of readAs('mount', text, csvFields)) {
    const at = field.indexOf('=')
    const key = (at < 0 ? field : field.slice(0, at)).toLowerCase()
    const value = at < 0 ? undefined : field.slice(at + 1)
    setMountField(mount, key, value, text)
  }
  if (mount.target === '') throw new BaleError('INVALID_ARGUMENT', `invalid mount ${text}: target is required`)
  if (mount.type === 'bind' && mount.source === undefined)
    throw new BaleError('INVALID_ARGUMENT', `invalid mount ${text}: a bind needs a source`, { details: WELL_FORMED })
  if (mount.type === 'tmpfs' && mount.source !== undefined)
    throw new BaleError('INVALID_ARGUMENT', `invalid mount ${text}: a tmpfs has no source`, { details: WELL_FORMED })
  const foreign = Object.keys(mount).find((key) => OF_TYPE[key] !== undefined && OF_TYPE[key] !== mount.type)
  if (foreign !== undefined)
    throw new BaleError(
      'INVALID_ARGUMENT',
      `cannot mix '${OF_TYPE[foreign]}-*' options with mount type '${mount.type}' in '${text}'`,
    )
  if (mount.type === 'bind') mount.source = resolvePath(mount.source!)
  return mount
}

/** Members that only one type of mounts has. */
const OF_TYPE = table<MountRequest['type']>({
  propagation: 'bind',
  recursive: 'bind',
  createSource: 'bind',
  noCopy: 'volume',
  volumeDriver: 'volume',
  volumeLabels: 'volume',
  volumeOptions: 'volume',
  tmpfsSize: 'tmpfs',
  tmpfsMode: 'tmpfs',
})

const RECURSIVE = ['enabled', 'disabled', 'writable', 'readonly'] as const

function setRecursive(mount: MountRequest, value: string | undefined): void {
  const found = RECURSIVE.find((one) => one === value)
  if (!found)
    throw new BaleError(
      'INVALID_ARGUMENT',
      `invalid value for bind-recursive: ${value ?? ''} (${RECURSIVE.join(', ')})`,
    )
  mount.recursive = found
}

function pairOf(value: string | undefined, text: string): Record<string, string> {
  const [key = '', rest] = (value ?? '').split(/=(.*)/s)
  if (key === '') throw new BaleError('INVALID_ARGUMENT', `invalid mount ${text}: KEY=VALUE is expected`)
  return { [key]: rest ?? '' }
}

function setMountField(mount: MountRequest, key: string, value: string | undefined, text: string): void {
  const truth = () => value === undefined || readAs('mount', text, () => readBoolean(value))
  if (key === 'type') {
    if (value !== 'bind' && value !== 'volume' && value !== 'tmpfs')
      throw new BaleError('UNSUPPORTED', `mount type "${value}" is not supported`, {
        hint: 'bind, volume or tmpfs',
        details: WELL_FORMED,
      })
    mount.type = value
  } else if (key === 'source' || key === 'src') mount.source = value
  else if (key === 'target' || key === 'dst' || key === 'destination') mount.target = value ?? ''
  else if (key === 'readonly' || key === 'ro') mount.readOnly = truth()
  else if (key === 'bind-propagation') mount.propagation = value
  else if (key === 'bind-recursive') setRecursive(mount, value)
  else if (key === 'bind-nonrecursive') mount.recursive = truth() ? 'disabled' : 'enabled'
  else if (key === 'bind-create-src') mount.createSource = truth()
  else if (key === 'volume-nocopy') mount.noCopy = truth()
  else if (key === 'volume-driver') mount.volumeDriver = value
  else if (key === 'volume-label') mount.volumeLabels = { ...mount.volumeLabels, ...pairOf(value, text) }
  else if (key === 'volume-opt') mount.volumeOptions = { ...mount.volumeOptions, ...pairOf(value, text) }
  else if (key === 'volume-subpath')
    throw new BaleError('UNSUPPORTED', 'volume-subpath is not supported yet', {
      hint: 'mount the whole volume, or bind a host directory',
    })
  else if (key === 'tmpfs-size') mount.tmpfsSize = parseBytes('mount', value ?? '')
  else if (key === 'tmpfs-mode') mount.tmpfsMode = Number.parseInt(value ?? '', 8)
  // Docker Desktop for Mac read it once; tools still write it.
  else if (key === 'consistency') return
  else throw new BaleError('INVALID_ARGUMENT', `unexpected key '${key}' in '${text}'`)
}

/** `/path[:size=64m,noexec]` of `--tmpfs`. */
export function parseTmpfs(text: string): MountRequest {
  const [target = '', options] = text.split(/:(.*)/s)
  const words = options?.split(',').filter(Boolean) ?? []
  return { type: 'tmpfs', target, tmpfsOptions: words }
}

/** `/dev/x[:/dev/y][:rwm]` */
export function parseDevice(text: string): DeviceRequest {
  const parts = text.split(':')
  const last = parts.at(-1)!
  const permissions = parts.length > 1 && /^[rwm]{1,3}$/.test(last) ? parts.pop()! : 'rwm'
  const [hostPath = '', containerPath = hostPath] = parts
  if (!hostPath.startsWith('/') || parts.length > 2) throw invalid('device', text, '/dev/x[:/dev/y][:rwm]')
  return { hostPath, containerPath, permissions }
}

/** `nofile=1024[:2048]` */
export function parseUlimit(text: string): Ulimit {
  const [, name = '', soft = '', hard = soft] = /^(\w+)=(-?\d+)(?::(-?\d+))?$/.exec(text) ?? []
  if (name === '') throw invalid('ulimit', text, 'for example nofile=1024:2048')
  const ulimit = { name, soft: Number(soft), hard: Number(hard) }
  // -1 is no limit, and more than any.
  if (ulimit.hard >= 0 && (ulimit.soft > ulimit.hard || ulimit.soft < 0))
    throw new BaleError('INVALID_ARGUMENT', `ulimit soft limit must be less than or equal to hard limit: ${text}`)
  return ulimit
}

/** `no`, `always`, `unless-stopped`, `on-failure[:3]`, `on-unhealthy[:3]` */
export function parseRestart(text: string): RestartPolicy {
  const hint = 'no, on-failure[:MAXIMUM], on-unhealthy[:MAXIMUM], always or unless-stopped'
  const refused = (problem: string, details?: typeof WELL_FORMED) =>
    new BaleError('INVALID_ARGUMENT', problem, { hint, details })
  const [name = '', count] = text.split(/:(.*)/s)
  if (text === '') return { name: 'no' }
  if (name === '') throw refused('invalid restart policy format: no policy provided before colon')
  if (count && !/^-?\d{1,9}$/.test(count))
    throw refused('invalid restart policy format: maximum retry count must be an integer')
  const maximumRetryCount = Number(count || 0)
  switch (name) {
    case 'on-failure':
    case 'on-unhealthy':
      if (maximumRetryCount < 0)
        throw refused(`invalid restart policy: maximum retry count cannot be negative: ${printable(text)}`, WELL_FORMED)
      return { name, ...(count && { maximumRetryCount }) }
    case 'no':
    case 'always':
    case 'unless-stopped':
      if (maximumRetryCount !== 0)
        throw refused(
          "invalid restart policy: maximum retry count can only be used with 'on-failure' and 'on-unhealthy'",
          WELL_FORMED,
        )
      return { name }
    default:
      throw refused(`invalid restart policy: unknown policy '${printable(name)}'`, WELL_FORMED)
  }
}

/** `/dev/sda:1mb` of the limits for block devices. */
export function parseDeviceLimit(
  flag: string,
  text: string,
  read: (flag: string, text: string) => number,
): { path: string; rate: number } {
  const at = text.lastIndexOf(':')
  const path = text.slice(0, Math.max(at, 0))
  if (!path.startsWith('/dev/')) throw invalid(flag, text, 'a block device and its rate: /dev/sda:1mb')
  const rate = read(flag, text.slice(at + 1))
  if (rate < 0) throw invalid(flag, text, 'a rate cannot be negative')
  return { path, rate }
}

/** Options of drivers: `KEY=VALUE`, or `KEY` alone as docker takes it. */
export function parseOptions(flag: string, words: readonly string[]): Record<string, string> {
  return parsePairs(
    flag,
    words.map((word) => (word.includes('=') ? word : `${word}=`)),
  )
}

/** `KEY=VALUE` pairs, such as of `--sysctl`. */
export function parsePairs(flag: string, words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf('=')
      if (at < 1) throw invalid(flag, word, 'KEY=VALUE')
      return [word.slice(0, at), word.slice(at + 1)]
    }),
  )
}
