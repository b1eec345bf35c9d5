import { BaleError } from '#base'
import type { RemotePlace } from '#transport'

/** The settings of a file for names that begin with a prefix. */
export interface RegistryRule {
  /** `docker.io`, `r.example:5000/team`, `*.example`. */
  prefix: string
  /** What replaces the prefix in the requested address: `inner.example/cache`. */
  location?: string
  insecure?: boolean
  blocked?: boolean
  mirrors?: readonly MirrorRule[]
  /** File with certificate authorities, PEM. */
  ca?: string
  /** The file that it comes from. */
  file: string
}

export interface MirrorRule {
  /** `mirror.example/cache`, which replaces the prefix; or a URL, to which the whole name is appended. */
  place: string
  insecure?: boolean
  /** The names that may be requested from it. */
  only?: 'digests' | 'tags'
}

/** The settings of one program's files. */
export interface FileRules {
  rules: readonly RegistryRule[]
  /** Hosts, hosts with port, and ranges of addresses. */
  insecure: readonly string[]
  /** Short names and their expansions. */
  aliases: ReadonlyMap<string, string>
}

export const noRules: FileRules = { rules: [], insecure: [], aliases: new Map() }

export interface AskedName {
  registry: string
  repository: string
  digest?: string | undefined
}

interface ResolvedPlaces {
  location?: RemotePlace
  mirrors: RemotePlace[]
  /** As a rule has it; undefined leaves it to the lists. */
  insecure: boolean | undefined
  /** File with certificate authorities. */
  ca: string | undefined
}

/** Where a name is requested. `own` (bale's config.json) wins over `others`, member by member. Throws DENIED. */
export function resolvePlaces(name: AskedName, own: FileRules, others: readonly FileRules[]): ResolvedPlaces {
  const whole = `${name.registry}/${name.repository}`
  const mine = bestRule(own.rules, whole)
  const theirs = others.flatMap(({ rules }) => bestRule(rules, whole) ?? [])
  const found = [...(mine ? [mine] : []), ...theirs]
  const first = <K extends keyof RegistryRule>(key: K) => found.find((rule) => rule[key] !== undefined)
  const blocked = first('blocked')
  if (blocked?.blocked) {
    throw new BaleError('DENIED', `${blocked.prefix} is blocked by ${blocked.file}`)
  }
  const moved = first('location')
  const withMirrors = mine?.mirrors ? [mine] : theirs
  return {
    ...(moved ? { location: placeAt(replaced(whole, moved.prefix, moved.location!)) } : {}),
    mirrors: withMirrors.flatMap((rule) =>
      (rule.mirrors ?? [])
        .filter(({ only }) => only === undefined || (only === 'digests') === (name.digest !== undefined))
        .map((mirror) => mirrorPlace(mirror, rule, whole)),
    ),
    // Of the others only yes counts: no is their default.
    insecure: mine?.insecure ?? (theirs.some(({ insecure }) => insecure) || undefined),
    ca: first('ca')?.ca,
  }
}

/** The longest prefix wins; of two that are the same the later. */
function bestRule(rules: readonly RegistryRule[], whole: string): RegistryRule | undefined {
  let best: { rule: RegistryRule; length: number } | undefined
  for (const rule of rules) {
    const length = matchedLength(rule.prefix, whole)
    if (length !== undefined && (!best || rule.prefix.length >= best.rule.prefix.length)) best = { rule, length }
  }
  return best?.rule
}

/** How much of a name a prefix covers. Source: containers/image, refMatchingPrefix and refMatchingSubdomainPrefix. */
function matchedLength(prefix: string, whole: string): number | undefined {
  const wild = prefix.startsWith('*.')
  const at = wild ? whole.indexOf(prefix.slice(1)) : 0
  const end = wild ? at + prefix.length - 1 : prefix.length
  if (at < 0 || (!wild && !whole.startsWith(prefix)) || (wild && whole.slice(0, at).includes('/'))) return undefined
  return end === whole.length || /[:/@]/.test(whole[end]!) ? end : undefined
}

function replaced(whole: string, prefix: string, location: string): string {
  return location.replace(/\/+$/, '') + whole.slice(matchedLength(prefix, whole)!)
}

function placeAt(address: string): RemotePlace {
  const slash = address.indexOf('/')
  return { registry: address.slice(0, slash), repository: address.slice(slash + 1) }
}

function mirrorPlace({ place, insecure }: MirrorRule, { prefix }: RegistryRule, whole: string): RemotePlace {
  if (!/^https?:\/\//i.test(place)) {
    return { ...placeAt(replaced(whole, prefix, place)), ...(insecure === undefined ? {} : { insecure }) }
  }
  const base = new URL(place)
  return {
    registry: base.host,
    base,
    ...(base.protocol === 'http:' ? { insecure: true } : insecure === undefined ? {} : { insecure }),
  }
}

/** The expansion of a short name, if an administrator configured one. */
export function aliasOf(text: string, files: readonly FileRules[]): string | undefined {
  const [, name, suffix] = /^([^@:]+)((?::[^@/]+)?(?:@.+)?)$/.exec(text) ?? []
  if (name === undefined) return undefined
  for (const { aliases } of files) {
    const target = aliases.get(name)
    if (target !== undefined) return target + suffix
  }
  return undefined
}
