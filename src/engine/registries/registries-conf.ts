import type { ForeignFile } from './foreign-file.ts'
import { type FileRules, type MirrorRule, noRules, type RegistryRule } from './rules.ts'

type Table = Record<string, unknown>

/**
 * A registries.conf of containers (podman, buildah, skopeo), in its second form or its first. Source:
 * containers-registries.conf(5). The search list is not used: a name without a registry is Docker Hub's here.
 */
export async function readRegistriesConf(file: ForeignFile): Promise<FileRules> {
  const document = await parsed(file)
  if (!document) return noRules
  const { registries, registry, aliases } = document
  return {
    rules: isTable(registries) ? blockedOnes(file, registries) : rulesOf(file, registry),
    insecure: isTable(registries) ? namesOf(file, registries, 'insecure') : [],
    aliases: new Map(
      Object.entries(isTable(aliases) ? aliases : {}).filter(
        (pair): pair is [string, string] => typeof pair[1] === 'string' && pair[1] !== '',
      ),
    ),
  }
}

/** The parser is loaded only if such a file exists, to keep commands fast. */
async function parsed(file: ForeignFile): Promise<Table | undefined> {
  // As distributions ship it.
  if (file.text.split('\n').every((line) => /^\s*(?:#|$)/.test(line))) return undefined
  const { parse, TomlError } = await import('smol-toml')
  try {
    return parse(file.text) as Table
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    file.warn(`not TOML; the file is ignored`, error.line)
    return undefined
  }
}

/** The first form: `[registries.block] registries = ["…"]`. */
function namesOf(file: ForeignFile, registries: Table, key: string): string[] {
  const table = registries[key]
  const names = isTable(table) ? table['registries'] : []
  if (Array.isArray(names) && names.every((one) => typeof one === 'string')) return names as string[]
  file.warn(`registries.${key} is not a list of strings, and is ignored`, `[registries.${key}]`)
  return []
}

function blockedOnes(file: ForeignFile, registries: Table): RegistryRule[] {
  return namesOf(file, registries, 'block').map((prefix) => ({ prefix, blocked: true, file: file.path }))
}

function rulesOf(file: ForeignFile, tables: unknown): RegistryRule[] {
  if (tables === undefined) return []
  const list = Array.isArray(tables) ? tables : [tables]
  return list.flatMap((table) => {
    try {
      return isTable(table) ? [ruleOf(file, table)] : []
    } catch (error) {
      if (!(error instanceof Misread)) throw error
      file.warn(`${error.message}; this [[registry]] is ignored`, error.near)
      return []
    }
  })
}

function ruleOf(file: ForeignFile, table: Table): RegistryRule {
  const location = text(table, 'location')
  const prefix = text(table, 'prefix') || location
  if (!prefix) throw new Misread('a registry has neither prefix nor location', '[[registry]]')
  const mirrors = table['mirror']
  return {
    prefix: prefix.replace(/\/+$/, ''),
    ...(location && location !== prefix ? { location } : {}),
    // A missing setting does not override another file.
    ...(table['insecure'] === undefined ? {} : { insecure: flag(table, 'insecure') }),
    ...(table['blocked'] === undefined ? {} : { blocked: flag(table, 'blocked') }),
    ...(Array.isArray(mirrors) ? { mirrors: mirrors.filter(isTable).map((one) => mirrorOf(one, table)) } : {}),
    file: file.path,
  }
}

function mirrorOf(mirror: Table, registry: Table): MirrorRule {
  const place = text(mirror, 'location')
  if (!place || /^[a-z]+:\/\//i.test(place))
    throw new Misread('a mirror has no location of the form HOST or HOST/PATH', '[[registry.mirror]]')
  const names = text(mirror, 'pull-from-mirror') || 'all'
  if (!['all', 'digest-only', 'tag-only'].includes(names))
    throw new Misread('pull-from-mirror is not all, digest-only or tag-only', 'pull-from-mirror')
  const byDigest = names === 'digest-only' || flag(registry, 'mirror-by-digest-only')
  return {
    place,
    insecure: flag(mirror, 'insecure'),
    ...(byDigest ? { only: 'digests' } : names === 'tag-only' ? { only: 'tags' } : {}),
  }
}

/** A member of the wrong type; `near` is a word on its line. */
class Misread extends Error {
  readonly near: string
  constructor(message: string, near: string) {
    super(message)
    this.near = near
  }
}

function text(table: Table, key: string): string {
  const value = table[key] ?? ''
  if (typeof value !== 'string') throw new Misread(`${key} is not a text`, key)
  return value
}

function flag(table: Table, key: string): boolean {
  const value = table[key] ?? false
  if (typeof value !== 'boolean') throw new Misread(`${key} is neither true nor false`, key)
  return value
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}
