import { BaleError, errnoOf } from '#base'
import { readTextSync } from '#host/file'

/** A member of `registries` in config.json. */
export interface OwnRegistry {
  /** Tried before the registry itself, in order: URLs, or `HOST/PATH` in place of the prefix. */
  mirrors?: string[]
  location?: string
  insecure?: boolean
  blocked?: boolean
  /** File with certificate authorities, PEM. */
  ca?: string
}

/** In place of a missing file. */
export const NO_FILE: ConfigFile = {}

/** The members of bale's config.json. */
export interface ConfigFile {
  root?: string
  run?: string
  snapshotter?: string
  layerMounts?: string
  runtime?: string
  insecureRegistries?: string[]
  publish?: { address?: string }
  registries?: Record<string, OwnRegistry>
  registryLimits?: Record<string, number>
  /** Path of the policy that says whose signatures images must have. */
  signaturePolicy?: string
}

const isText = (value: unknown) => typeof value === 'string'
const isTextList = (value: unknown) => Array.isArray(value) && value.every(isText)
const isTable = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The type of each member of config.json. */
const MEMBERS: { [K in keyof Required<ConfigFile>]: (value: unknown) => boolean } = {
  root: isText,
  run: isText,
  snapshotter: isText,
  layerMounts: isText,
  runtime: isText,
  insecureRegistries: isTextList,
  publish: (value) => isTable(value) && Object.entries(value).every(([key, one]) => key === 'address' && isText(one)),
  registries: (value) => isTable(value) && Object.values(value).every(isOwnRegistry),
  signaturePolicy: isText,
  registryLimits: (value) =>
    isTable(value) && Object.values(value).every((one) => Number.isSafeInteger(one) && one > 0),
}

const REGISTRY_MEMBERS: { [K in keyof Required<OwnRegistry>]: (value: unknown) => boolean } = {
  mirrors: isTextList,
  location: isText,
  insecure: (value) => typeof value === 'boolean',
  blocked: (value) => typeof value === 'boolean',
  ca: isText,
}

function isOwnRegistry(value: unknown): boolean {
  return isTable(value) && Object.entries(value).every(([key, one]) => checkOf(REGISTRY_MEMBERS, key)?.(one) ?? false)
}

function checkOf(table: Readonly<Record<string, (value: unknown) => boolean>>, key: string) {
  return Object.hasOwn(table, key) ? table[key] : undefined
}

/** INVALID_ARGUMENT for a file that cannot be parsed and, if `wanted`, for a missing one. */
export function readConfigFile(path: string, wanted: boolean): ConfigFile {
  let text: string
  try {
    text = readTextSync(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' && !wanted) return NO_FILE
    throw new BaleError('INVALID_ARGUMENT', `cannot read the configuration ${path}`, { cause: error })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new BaleError('INVALID_ARGUMENT', `the configuration ${path} is not JSON: ${String(error)}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BaleError('INVALID_ARGUMENT', `the configuration ${path} is not a JSON object`)
  }
  for (const [key, member] of Object.entries(value)) {
    if (!checkOf(MEMBERS, key)?.(member)) {
      throw new BaleError('INVALID_ARGUMENT', `the configuration ${path} has an unknown or ill-typed member: ${key}`, {
        hint: `known members: ${Object.keys(MEMBERS).join(', ')}`,
      })
    }
  }
  return value as ConfigFile
}
