import { BaleError } from '#base'
import { type Digest, isDigest, parseJson } from '#spec'
import {
  ANALYSER_VERSION,
  type Gap,
  type Inventory,
  type InventoryLayer,
  type InventoryPackage,
} from '#trust/inventory'

/** The answer of a process that read hostile files is checked like any input: they may control it by now. INTERNAL for anything else. */
export function checkedInventory(text: string, manifest: Digest): Inventory {
  const { analyser, manifest: of, system, layers, packages, gaps } = members(parseJson(text))
  if (analyser !== ANALYSER_VERSION || of !== manifest) throw wrong()
  const checkedLayers = list(layers).map(layerOf)
  return {
    analyser,
    manifest,
    ...(system !== undefined && { system: systemOf(system) }),
    layers: checkedLayers,
    packages: list(packages).map((one) => packageOf(one, checkedLayers.length)),
    gaps: list(gaps).map(gapOf),
  }
}

function systemOf(value: unknown): NonNullable<Inventory['system']> {
  const { id, like, ...others } = members(value)
  return {
    id: text(id),
    ...texts(others, ['version', 'codename', 'name']),
    ...(like !== undefined && { like: list(like).map(text) }),
  }
}

function layerOf(value: unknown): InventoryLayer {
  const { digest, diffId, ...others } = members(value)
  return { digest: digestOf(digest), diffId: digestOf(diffId), ...texts(others, ['createdBy']) }
}

function packageOf(value: unknown, layers: number): InventoryPackage {
  const { type, name, version, path, layer, source, licences, ...others } = members(value)
  if (!TYPES.has(type)) throw wrong()
  if (!Number.isSafeInteger(layer) || (layer as number) < 0 || (layer as number) >= layers) throw wrong()
  return {
    type: type as InventoryPackage['type'],
    name: text(name),
    version: text(version),
    ...texts(others, ['architecture']),
    ...(source !== undefined && { source: sourceOf(source) }),
    ...(licences !== undefined && { licences: list(licences).map(text) }),
    ...texts(others, ['vendor', 'modularity']),
    path: text(path),
    layer: layer as number,
  }
}

const EACH_TYPE: Record<InventoryPackage['type'], true> = {
  ...{ deb: true, apk: true, rpm: true, npm: true, pypi: true, gem: true },
  ...{ golang: true, cargo: true, maven: true, composer: true, nuget: true },
}
const TYPES: ReadonlySet<unknown> = new Set(Object.keys(EACH_TYPE))

function sourceOf(value: unknown): NonNullable<InventoryPackage['source']> {
  const { name, version } = members(value)
  return { name: text(name), version: text(version) }
}

function gapOf(value: unknown): Gap {
  const { where, reason } = members(value)
  return { where: text(where), reason: text(reason) }
}

function members(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw wrong()
}

function list(value: unknown): unknown[] {
  if (Array.isArray(value)) return value
  throw wrong()
}

function text(value: unknown): string {
  if (typeof value === 'string') return value
  throw wrong()
}

function digestOf(value: unknown): Digest {
  const digest = text(value)
  if (isDigest(digest)) return digest
  throw wrong()
}

/** Those of the members that are there. */
function texts<K extends string>(from: Record<string, unknown>, names: readonly K[]): { [name in K]?: string } {
  const given = names.filter((name) => from[name] !== undefined)
  return Object.fromEntries(given.map((name) => [name, text(from[name])])) as { [name in K]?: string }
}

const wrong = () =>
  new BaleError('INTERNAL', 'the scan process returned something that is not an inventory of this image')
