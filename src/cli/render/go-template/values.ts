import { table } from '#base'

/**
 * Go's values as templates see them. Strings, booleans, arrays and objects are JavaScript's; a number is an int; the rest
 * has a class. JSON does not show whether an object was a map or a struct, nor what a null stood for: the member's
 * name does, as docker's types have them.
 */
export class GoFloat {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
  toJSON(): number {
    return this.value
  }
}

/** A time.Time: written in RFC 3339 in JSON, in Go's own way in text. */
export class GoTime {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
  toJSON(): string {
    return this.text
  }
  toString(): string {
    const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d(?:\.\d+)?)(Z|[+-]\d\d:\d\d)$/.exec(this.text)
    if (!match) return this.text
    const [, date, time, zone] = match as unknown as [string, string, string, string]
    const digits = time.includes('.') ? time.replace(/0+$/, '').replace(/\.$/, '') : time
    const offset = zone.replace(':', '')
    return `${date} ${digits} ${zone === 'Z' ? '+0000 UTC' : `${offset} ${offset}`}`
  }
}

/** A time.Duration: nanoseconds in JSON, `1m30s` in text. */
export class GoDuration {
  readonly nanoseconds: number
  constructor(nanoseconds: number) {
    this.nanoseconds = nanoseconds
  }
  toJSON(): number {
    return this.nanoseconds
  }
  toString(): string {
    return durationText(this.nanoseconds)
  }
}

/** A struct with its own text (Go's `String`), such as a platform. */
export class GoStringer {
  readonly value: object
  readonly text: string
  constructor(value: object, text: string) {
    this.value = value
    this.text = text
  }
  toJSON(): object {
    return this.value
  }
  toString(): string {
    return this.text
  }
}

/** A nil slice, map or pointer: empty for templates, null in JSON. */
export class GoNil {
  readonly of: 'slice' | 'map' | 'pointer'
  constructor(of: 'slice' | 'map' | 'pointer') {
    this.of = of
  }
  toJSON(): null {
    return null
  }
}

/** A method of a row, such as `.Label "x"` of docker's lists. */
export class GoMethod {
  readonly name: string
  readonly call: (argument: string) => string
  constructor(name: string, call: (argument: string) => string) {
    this.name = name
    this.call = call
  }
}

/** The value of a key that a map does not have. Printed as `<no value>`. */
export const NO_VALUE = Symbol('no value')

/** Members that are maps in docker's types; all other objects are structs. */
const MAPS = new Set([
  'Annotations',
  'Attributes',
  'BuildArgs',
  'Containers',
  'Data',
  'Details',
  'DriverOpts',
  'ExposedPorts',
  'IPAMOptions',
  'Labels',
  'Networks',
  'Options',
  'PortBindings',
  'Ports',
  'StorageOpt',
  'Sysctls',
  'Tmpfs',
  'Volumes',
])

const DURATIONS = new Set(['Interval', 'Timeout', 'StartPeriod', 'StartInterval'])
const TIMES = new Set(['LastTagTime'])

/** The name of the member that an object was found under: it determines docker's type. */
const names = new WeakMap<object, string>()

export function isMapName(name: string): boolean {
  return MAPS.has(name)
}

/** True for Go maps, which may have any key; other objects are structs with the members of their type. */
export function isMap(value: object): boolean {
  return MAPS.has(names.get(value) ?? '')
}

/**
 * Structs whose JSON leaves members out that are empty, in Go's order. A template may ask for them all the same.
 * Source: docker's API types; the image itself has no name.
 */
const STRUCTS = table<Record<string, unknown>>({
  Config: {
    Hostname: '',
    Domainname: '',
    User: '',
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    ExposedPorts: null,
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: null,
    Cmd: null,
    Healthcheck: new GoNil('pointer'),
    ArgsEscaped: false,
    Image: '',
    Volumes: null,
    WorkingDir: '',
    Entrypoint: null,
    NetworkDisabled: false,
    MacAddress: '',
    OnBuild: null,
    Labels: null,
    StopSignal: '',
    StopTimeout: new GoNil('pointer'),
    Shell: null,
  },
  Healthcheck: { Test: null, Interval: 0, Timeout: 0, StartPeriod: 0, Retries: 0 },
  RootFS: { Type: '', Layers: null, BaseLayer: '' },
  State: {
    Status: '',
    Running: false,
    Paused: false,
    Restarting: false,
    OOMKilled: false,
    Dead: false,
    Pid: 0,
    ExitCode: 0,
    Error: '',
    StartedAt: '',
    FinishedAt: '',
    Health: new GoNil('pointer'),
  },
  HostConfig: { Sysctls: null, Tmpfs: null, StorageOpt: null, Annotations: null },
})
const IMAGE = { Variant: '', OsVersion: '' }
const CONTAINER = { SizeRw: new GoNil('pointer'), SizeRootFs: new GoNil('pointer') }

/** Go's names of members that JSON spells otherwise: docker's templates see both. */
const ALIASES = table<string>({
  ID: 'Id',
  APIVersion: 'ApiVersion',
  CPUShares: 'CpuShares',
  CPUPeriod: 'CpuPeriod',
  CPUQuota: 'CpuQuota',
  NanoCPUs: 'NanoCpus',
  DNS: 'Dns',
  DNSOptions: 'DnsOptions',
  DNSSearch: 'DnsSearch',
})

function structOf(record: Record<string, unknown>): Record<string, unknown> {
  const name = names.get(record)
  if (name !== undefined) return STRUCTS[name] ?? {}
  if (Object.hasOwn(record, 'HostConfig')) return CONTAINER
  return Object.hasOwn(record, 'RootFS') ? IMAGE : {}
}

/** The member of a record that a template's name stands for; undefined when there is none. */
function jsonName(record: Record<string, unknown>, name: string): string | undefined {
  if (Object.hasOwn(record, name)) return name
  if (isMap(record)) return undefined
  if (Object.hasOwn(structOf(record), name)) return name
  const alias = ALIASES[name]
  return alias !== undefined && Object.hasOwn(record, alias) ? alias : undefined
}

/** True when a struct of docker's types has the member, in JSON or left out for being empty. */
export function hasMember(record: Record<string, unknown>, name: string): boolean {
  return jsonName(record, name) !== undefined
}

/** A member with the type that docker's struct gives it. */
export function memberOf(record: Record<string, unknown>, wanted: string): unknown {
  const name = jsonName(record, wanted) ?? wanted
  const owner = [record, structOf(record)].find((one) => Object.hasOwn(one, name))
  const given = owner?.[name]
  const value = typed(record, name, given)
  // The options of a log driver are a map, though they have the name of a struct.
  const isLogOptions = names.get(record) === 'LogConfig' && name === 'Config'
  if (typeof value === 'object' && value !== null && !names.has(value))
    names.set(value, isLogOptions ? 'Options' : name)
  return value
}

function typed(record: Record<string, unknown>, name: string, value: unknown): unknown {
  if (value === null) return new GoNil(MAPS.has(name) ? 'map' : 'slice')
  if (typeof value === 'number' && names.get(record) === 'Healthcheck' && DURATIONS.has(name))
    return new GoDuration(value)
  // Networks have a time there; images and containers a text.
  const isTime = TIMES.has(name) || (name === 'Created' && Object.hasOwn(record, 'IPAM'))
  return typeof value === 'string' && isTime ? new GoTime(value) : value
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return ![GoFloat, GoTime, GoDuration, GoStringer, GoNil, GoMethod].some((type) => value instanceof type)
}

/** Source: Go's documentation of text/template, "if". */
export function isTrue(value: unknown): boolean {
  if (value === undefined || value === null || value === NO_VALUE || value instanceof GoNil) return false
  if (typeof value === 'boolean') return value
  if (typeof value === 'number') return value !== 0
  if (typeof value === 'string') return value !== ''
  if (Array.isArray(value)) return value.length > 0
  if (value instanceof GoFloat) return value.value !== 0
  if (value instanceof GoDuration) return value.nanoseconds !== 0
  return !isRecord(value) || Object.keys(value).length > 0
}

/** The name of a value's type as Go prints it. */
export function typeName(value: unknown): string {
  if (value === undefined || value === null || value === NO_VALUE) return '<nil>'
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64'
  if (value instanceof GoFloat) return 'float64'
  if (value instanceof GoDuration) return 'time.Duration'
  if (value instanceof GoTime) return 'time.Time'
  if (Array.isArray(value)) return '[]interface {}'
  if (value instanceof GoNil) return value.of === 'map' ? 'map[string]string' : '[]string'
  return 'map[string]interface {}'
}

const NIL_TEXT = { slice: '[]', map: 'map[]', pointer: '<nil>' }

/** A value as `%v` and the end of an action print it. Maps are sorted by key, structs in the order of their type. */
export function goText(value: unknown): string {
  if (value === NO_VALUE) return '<no value>'
  if (value === undefined || value === null) return '<nil>'
  if (value instanceof GoNil) return NIL_TEXT[value.of]
  if (value instanceof GoFloat) return floatText(value.value)
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : floatText(value)
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (!isRecord(value)) return String(value)
  if (isMap(value))
    return `map[${sortedKeys(value)
      .map((key) => `${key}:${goText(memberOf(value, key))}`)
      .join(' ')}]`
  const members = new Set([...Object.keys(structOf(value)), ...Object.keys(value)])
  return `{${[...members].map((name) => goText(memberOf(value, name))).join(' ')}}`
}

export function sortedKeys(record: Record<string, unknown>): string[] {
  return Object.keys(record).sort((left, right) => (left < right ? -1 : left > right ? 1 : 0))
}

/** `%v` of a float: the shortest digits, with an exponent from 1e6 on and below 1e-4 (strconv, 'g'). */
function floatText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  const exponential = value.toExponential()
  const exponent = Number(exponential.slice(exponential.indexOf('e') + 1))
  if (value === 0 || (exponent >= -4 && exponent < 6)) return String(value)
  return exponential.replace(/e([+-])(\d)$/, 'e$10$2')
}

function durationText(nanoseconds: number): string {
  if (nanoseconds === 0) return '0s'
  const sign = nanoseconds < 0 ? '-' : ''
  const size = Math.abs(nanoseconds)
  if (size < 1e3) return `${sign}${size}ns`
  if (size < 1e6) return `${sign}${size / 1e3}µs`
  if (size < 1e9) return `${sign}${size / 1e6}ms`
  const hours = Math.floor(size / 3600e9)
  const minutes = Math.floor((size % 3600e9) / 60e9)
  const seconds = `${(size % 60e9) / 1e9}s`
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}`
  return minutes > 0 ? `${sign}${minutes}m${seconds}` : sign + seconds
}
