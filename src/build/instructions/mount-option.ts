import { basename } from 'node:path'
import { nearest, table } from '#base'
import { csvFields, parseSize } from '#docker'
import { Mistake } from '../dockerfile/index.ts'

/** A `RUN --mount`, after variables are expanded. */
export interface MountOption {
  type: 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh'
  from: string | undefined
  source: string | undefined
  target: string | undefined
  readOnly: boolean
  id: string | undefined
  sharing: 'shared' | 'private' | 'locked'
  required: boolean
  /** Bytes, of a tmpfs. */
  size: number | undefined
  mode: number | undefined
  uid: number | undefined
  gid: number | undefined
  /** Of a secret: the environment variable that gets it, instead of or beside a file. */
  env: string | undefined
}

/** By which id a RUN asks for a secret. */
export function secretId({ id, source, target }: MountOption): string {
  return id ?? source ?? basename(target ?? '')
}

const TYPES = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'] as const
const SHARING = ['shared', 'private', 'locked'] as const
const NAMES = table<string>({
  src: 'source',
  dst: 'target',
  destination: 'target',
  ro: 'readonly',
  rw: 'readwrite',
})
const KEYS = [
  'type',
  'from',
  'source',
  'src',
  'target',
  'dst',
  'destination',
  'readonly',
  'ro',
  'readwrite',
  'rw',
  'id',
]
const MORE_KEYS = ['sharing', 'required', 'size', 'mode', 'uid', 'gid', 'env']

/** Parses `type=cache,target=/x,…`. `expand` is applied to each value. Throws a Mistake. */
export function parseMount(text: string, expand: (value: string) => string): MountOption {
  const values = new Map<string, string>()
  for (const field of fieldsOf(text)) {
    const equals = field.indexOf('=')
    const written = (equals < 0 ? field : field.slice(0, equals)).toLowerCase()
    const key = NAMES[written] ?? written
    if (![...KEYS, ...MORE_KEYS].includes(key)) {
      const meant = nearest(written, [...KEYS, ...MORE_KEYS])
      throw new Mistake(`unexpected key '${written}' in '${field}'${meant ? `; did you mean ${meant}?` : ''}`)
    }
    if (equals < 0 && !['readonly', 'readwrite', 'required'].includes(key)) {
      throw new Mistake(`invalid field '${field}' must be a key=value pair`)
    }
    values.set(key, equals < 0 ? 'true' : expand(field.slice(equals + 1)))
  }
  const type = oneOf(TYPES, values.get('type')?.toLowerCase() ?? 'bind', 'mount type')
  const refuse = (key: string, types: readonly MountOption['type'][]) => {
    if (values.has(key) && !types.includes(type)) throw new Mistake(`unexpected key '${key}' for mount type '${type}'`)
  }
  refuse('size', ['tmpfs'])
  refuse('required', ['secret', 'ssh'])
  refuse('sharing', ['cache'])
  refuse('env', ['secret'])
  refuse('from', ['bind', 'cache'])
  for (const key of ['mode', 'uid', 'gid']) refuse(key, ['secret', 'ssh', 'cache'])

  const option: MountOption = {
    type,
    from: values.get('from'),
    source: values.get('source'),
    target: values.get('target'),
    readOnly: readOnlyOf(values, type),
    id: values.get('id'),
    sharing: oneOf(SHARING, values.get('sharing')?.toLowerCase() ?? 'shared', 'sharing value'),
    required: booleanOf(values, 'required') ?? false,
    size: sizeOf(values.get('size')),
    mode: numberOf(values, 'mode', 8),
    uid: numberOf(values, 'uid', 10),
    gid: numberOf(values, 'gid', 10),
    env: values.get('env'),
  }
  checkMount(option)
  return option
}

function fieldsOf(text: string): string[] {
  try {
    return csvFields(text)
  } catch (cause) {
    throw new Mistake((cause as Error).message, { cause })
  }
}

function checkMount({ type, source, target, id }: MountOption): void {
  if (type === 'secret') {
    if (!source && !target && !id) throw new Mistake('invalid secret mount: one of id, source, target is required')
    if (source && id) throw new Mistake("invalid secret mount: both source and id can't be set")
  } else if (type !== 'ssh' && !target) throw new Mistake(`a ${type} mount needs a target`)
  if (target && /^\/*$/.test(target)) throw new Mistake('the target of a mount cannot be /')
}

function readOnlyOf(values: Map<string, string>, type: MountOption['type']): boolean {
  const readWrite = booleanOf(values, 'readwrite')
  if (readWrite !== undefined) return !readWrite
  return booleanOf(values, 'readonly') ?? (type !== 'cache' && type !== 'tmpfs')
}

function booleanOf(values: Map<string, string>, key: string): boolean | undefined {
  const value = values.get(key)
  if (value === undefined) return undefined
  if (/^(?:1|t|true)$/i.test(value)) return true
  if (/^(?:0|f|false)$/i.test(value)) return false
  throw new Mistake(`invalid value for ${key}: ${value}`)
}

function numberOf(values: Map<string, string>, key: string, base: 8 | 10): number | undefined {
  const value = values.get(key)
  if (value === undefined) return undefined
  if (!(base === 8 ? /^[0-7]{1,6}$/ : /^\d{1,10}$/).test(value)) throw new Mistake(`invalid value ${value} for ${key}`)
  const number = Number.parseInt(value, base)
  if (number > (base === 8 ? 0o7777 : 0xfffffffe)) throw new Mistake(`invalid value ${value} for ${key}`)
  return number
}

function sizeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  try {
    return parseSize(text)
  } catch (cause) {
    throw new Mistake(`invalid value for size: ${text}`, { cause })
  }
}

function oneOf<T extends string>(allowed: readonly T[], value: string, what: string): T {
  const found = allowed.find((one) => one === value)
  if (found) return found
  const meant = nearest(value, allowed)
  throw new Mistake(`unsupported ${what} ${JSON.stringify(value)}${meant ? `; did you mean ${meant}?` : ''}`)
}
