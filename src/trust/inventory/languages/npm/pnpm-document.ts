import { BaleError } from '#base'
import { blockEntries } from './block-entries.ts'

/** A package as the section `packages` has it; texts are empty where the key says it all. */
interface PnpmPackage {
  name: string
  version: string
  /** Needed for development alone; in formats before 9. */
  dev: boolean
}

/** What a lockfile of pnpm says, as far as it is about which packages there are. */
export interface PnpmDocument {
  /** Of the format: 5, 6 or 9. */
  major: number
  readonly packages: Map<string, PnpmPackage>
  /** What the project needs, as keys of `packages`: to run, and for anything else. Format 9. */
  readonly needed: string[]
  readonly neededOtherwise: string[]
  /** What each package needs, as keys of `packages`. Format 9. */
  readonly needs: Map<string, string[]>
}

/** Throws INVALID_ARGUMENT for text that has no version of the format. */
export function parsePnpmDocument(text: string): PnpmDocument {
  const packages: PnpmDocument['packages'] = new Map()
  const document: PnpmDocument = { major: 0, packages, needed: [], neededOtherwise: [], needs: new Map() }
  for (const { path, value } of blockEntries(text)) {
    if (path[0] === 'lockfileVersion') document.major ||= Number.parseInt(value, 10)
    else if (path[0] === 'packages') readPackage(document, path, value)
    else if (path[0] === 'importers') readProject(document, path, value)
    else if (path[0] === 'snapshots') readNeeds(document, path, value)
  }
  if (document.major > 0) return document
  throw new BaleError('INVALID_ARGUMENT', 'it is not a lockfile of pnpm: it has no lockfileVersion')
}

/** `packages: KEY: dev: true` */
function readPackage({ packages }: PnpmDocument, path: readonly string[], value: string): void {
  const key = path[1]
  if (path.length === 2) packages.set(key!, { name: '', version: '', dev: false })
  const entry = path.length === 3 ? packages.get(key!) : undefined
  if (!entry) return
  if (path[2] === 'dev') entry.dev = value === 'true'
  else if (path[2] === 'name' || path[2] === 'version') entry[path[2]] = value
}

/** `importers: DIRECTORY: dependencies: NAME: version: 1.0.0` */
function readProject(document: PnpmDocument, path: readonly string[], value: string): void {
  const [, , group, name] = path
  if (path.length !== 5 || path[4] !== 'version') return
  const list = isToRun(group) ? document.needed : document.neededOtherwise
  list.push(keyOfReference(name!, value))
}

/** `snapshots: KEY: dependencies: NAME: 1.0.0` */
function readNeeds({ needs }: PnpmDocument, path: readonly string[], value: string): void {
  const [, snapshot, group, name] = path
  if (path.length !== 4 || !isToRun(group)) return
  const key = withoutPeers(snapshot!)
  const list = needs.get(key) ?? []
  if (list.length === 0) needs.set(key, list)
  list.push(keyOfReference(name!, value))
}

function isToRun(group: string | undefined): boolean {
  return group === 'dependencies' || group === 'optionalDependencies'
}

/** `1.0.0(react@18.0.0)` of a package, or `other@1.0.0` when it is installed under another name than its own. */
function keyOfReference(name: string, reference: string): string {
  const version = withoutPeers(reference)
  const at = version.indexOf('@', 1)
  const colon = version.indexOf(':')
  return at > 0 && (colon < 0 || at < colon) ? version : `${name}@${version}`
}

/** The same package is in the lockfile once for each set of packages that it is used with; they follow in brackets. */
export function withoutPeers(key: string): string {
  const bracket = key.indexOf('(')
  return bracket < 0 ? key : key.slice(0, bracket)
}
