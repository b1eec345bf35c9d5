import { BaleError, printable } from '#base'
import { isRepository } from '#spec'
import type { ReplicationRule } from '../meta/index.ts'
import { checkPattern, matchesPattern } from '../pattern/index.ts'
import { type RemotePlace, registryUrl } from '../remote/index.ts'

/** What is replicated where to, or where from, and when. */
export interface ReplicationSettings {
  name: string
  direction: 'push' | 'pull'
  /** Scheme and host of the other registry. */
  url: string
  /** Sent to this host and its token service alone. */
  login?: { username: string; password: string }
  /** The host of its token service, if that is neither its own nor related to it. */
  tokenService?: string
  /** Accept an unverified certificate, and send the login over plain http. */
  insecure?: boolean
  /** Certificate authorities (PEM) besides the machine's. */
  ca?: string
  /** Patterns of repositories, as the source names them. */
  repositories: readonly string[]
  /** Patterns of tags; all by default. */
  tags?: readonly string[]
  /** What is taken away in front of the names: `team` of `team/web`. */
  stripPrefix?: string
  /** What is put in front of them then: `mirror` for `mirror/web`. */
  toPrefix?: string
  /** A push here is replicated at once. */
  onPush?: boolean
  /** All is compared so often, in milliseconds. Without it and `onPush`, when an administrator says so. */
  every?: number
  /** Signatures, SBOMs and the like follow their images: true by default. */
  referrers?: boolean
  /** A tag that goes goes there as well, if it is what was replicated: false by default. */
  deletes?: boolean
}

/** A rule whose settings have been checked. */
export interface Rule {
  /** What the metadata keeps of it. */
  kept: ReplicationRule
  place: RemotePlace
  /** What a repository of the source is called at the destination, or why it cannot be there. */
  nameAt(repository: string): { name: string } | { objection: string }
}

/** INVALID_ARGUMENT for rules that cannot be. What is below one of the prefixes `except` (of upstreams) is nothing of this registry's. */
export function checkedRules(all: readonly ReplicationSettings[], except: readonly string[] = []): Rule[] {
  const twice = all.find(({ name }, at) => all.findIndex((one) => one.name === name) < at)
  if (twice) throw invalid(`two rules of replication are called ${twice.name}`)
  return all.map((settings) => checkedRule(settings, except))
}

function checkedRule(settings: ReplicationSettings, except: readonly string[]): Rule {
  const { name, direction, repositories, tags = ['*'], onPush = false, every } = settings
  const { referrers = true, deletes = false, stripPrefix, toPrefix } = settings
  if (!/^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/.test(name)) {
    throw invalid(`not the name of a rule of replication: ${printable(name, 80)}`)
  }
  if (repositories.length === 0) throw invalid(`the rule ${name} names no repositories`)
  for (const pattern of repositories) checkPattern(pattern)
  for (const prefix of [stripPrefix, toPrefix]) {
    if (prefix !== undefined && !isRepository(prefix)) {
      throw invalid(`not the beginning of a repository's name: ${printable(prefix, 120)}`)
    }
  }
  if (onPush && direction === 'pull') throw invalid(`the rule ${name} pulls: no push here is its business`)
  const below = except.map((prefix) => `${prefix}/**`)
  return {
    kept: {
      ...{ name, direction, repositories, tags, onPush, every, referrers, deletes },
      except: direction === 'push' ? below : [],
    },
    place: placeOf(settings),
    nameAt(repository) {
      const rest =
        stripPrefix !== undefined && repository.startsWith(`${stripPrefix}/`)
          ? repository.slice(stripPrefix.length + 1)
          : repository
      const target = toPrefix === undefined ? rest : `${toPrefix}/${rest}`
      if (!isRepository(target)) return { objection: `not a name of a repository: ${printable(target, 300)}` }
      if (direction === 'pull' && below.some((pattern) => matchesPattern(pattern, target))) {
        return { objection: `${target} is below the prefix of an upstream, which alone fills it` }
      }
      return { name: target }
    },
  }
}

function placeOf({ name, login, tokenService, insecure = false, ca, ...settings }: ReplicationSettings): RemotePlace {
  const url = registryUrl(settings.url)
  if (!url) throw invalid(`the rule ${name} is to reach what is not a URL of scheme and host`)
  return { url, login, tokenService, insecure, ca }
}

const invalid = (message: string) => new BaleError('INVALID_ARGUMENT', message)
