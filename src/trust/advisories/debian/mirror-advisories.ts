import { createHash } from 'node:crypto'
import type { Advisories, Advisory, Coverage } from '../advisory.ts'
import { type Archives, type NewestVersion, newestVersion } from './archive/index.ts'
import type { ReadChangelogs } from './changelog/index.ts'
import { adviseUpdate } from './update-advisories.ts'

/** What was read of one release. */
interface MirrorKnowledge {
  readonly ecosystem: string
  readonly archives: Archives
  /** Undefined: none was asked for. */
  readonly changelogs: ReadChangelogs | undefined
}

/** What was read as advisories. */
export function mirrorAdvisories(known: MirrorKnowledge): Advisories {
  const { ecosystem, archives } = known
  const isOurs = (other: string) => other === ecosystem
  const coverage = [coverageOf(known)]
  const newest = remembered((source) => newestVersion(archives, source))
  const find = remembered((source) => advisoriesOf(known, source, newest(source)))
  return {
    coverage: (other) => (isOurs(other) ? coverage : []),
    find: (other, source) => (isOurs(other) ? find(source) : []),
    support: () => undefined,
    // Without the release itself, a package that never had an update could not be told from one of others.
    isForeign: (other, source) => isOurs(other) && archives.release !== undefined && !newest(source),
    version: versionOf(known),
  }
}

/** Most packages of an image are asked for many times: once for each binary package. */
function remembered<T>(answer: (source: string) => T): (source: string) => T {
  const answers = new Map<string, T>()
  return (source) => {
    if (!answers.has(source)) answers.set(source, answer(source))
    return answers.get(source)!
  }
}

function advisoriesOf(
  { ecosystem, archives, changelogs }: MirrorKnowledge,
  source: string,
  newest: NewestVersion | undefined,
): readonly Advisory[] {
  if (!newest) return []
  const entries = changelogs?.entries.get(source)
  const security = archives.security.get(source)?.version
  return adviseUpdate({ ecosystem, source, security, newest: newest.version }, entries && { entries })
}

function coverageOf({ ecosystem, archives: { security, remarks }, changelogs }: MirrorKnowledge): Coverage {
  return {
    ecosystem,
    source: 'debian-index',
    knows: 'fixed',
    asOf: new Date(security.origin.date).toISOString(),
    advisories: security.size,
    remark: [scopeOf(security.origin.components, changelogs), ...remarks, ...unreadOf(changelogs)].join('; '),
  }
}

function scopeOf(components: readonly string[], changelogs: ReadChangelogs | undefined): string {
  const updates = `security updates of ${components.join(', ')}`
  if (!changelogs) return `${updates}; their changelogs were not read, so no CVE ids are known`
  return `${updates}, and updates by point releases that name a CVE id; CVE ids are those that changelogs name`
}

function unreadOf(changelogs: ReadChangelogs | undefined): string[] {
  const [first] = changelogs?.unread ?? []
  if (!changelogs || !first) return []
  const [source, reason] = first
  const { size } = changelogs.unread
  return [`${size} changelog${size === 1 ? '' : 's'} could not be read, such as that of ${source}: ${reason}`]
}

function versionOf({ ecosystem, archives, changelogs }: MirrorKnowledge): string {
  const facts = [
    ecosystem,
    [archives.security, archives.release, archives.updates].map((index) => index?.origin.files),
    changelogs && [...changelogs.entries].sort(([a], [b]) => (a < b ? -1 : 1)),
  ]
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex')
}
