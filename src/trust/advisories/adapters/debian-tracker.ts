import type { Advisory, FixState, VersionRange } from '../advisory.ts'
import { DEBIAN_VERSIONS } from '../debian-codenames.ts'
import { jsonMembers } from './json-members.ts'
import { ratingOf } from './rating.ts'
import type { Tally } from './tally.ts'
import { isObject, malformed, memberOf, parseSource, summaryOf, textOf } from './values.ts'

/** Bytes of all that is said of one source package: linux, the largest, has some 7 MiB. */
const PACKAGE_LIMIT = 64 * 2 ** 20

/**
 * Advisories of Debian's security tracker (its `json` export): for each source package and release, what is open and what is
 * fixed. A package that cannot be read is skipped and counted; throws INVALID_ARCHIVE when the document is none.
 */
export async function* readDebianTracker(
  document: AsyncIterable<Uint8Array>,
  { tally }: { tally: Tally },
): AsyncGenerator<Advisory> {
  const tooLarge = (name: string) => tally.skip(name, malformed(name, `has more than ${PACKAGE_LIMIT} bytes`))
  for await (const { key: name, value } of jsonMembers(document, { limit: PACKAGE_LIMIT, onTooLarge: tooLarge })) {
    const issues = tally.read(name, () => issuesOf(name, parseSource(value, `the package ${name}`)))
    for (const [id, issue] of issues ?? [])
      yield* tally.read(`${name} ${id}`, () => advisoriesOf(name, id, issue)) ?? []
  }
}

function issuesOf(name: string, value: unknown): [string, unknown][] {
  if (textOf(name) === undefined || !isObject(value)) throw malformed(name, 'is not described')
  return Object.entries(value)
}

function advisoriesOf(name: string, id: string, issue: unknown): Advisory[] {
  const releases = memberOf(issue, 'releases')
  if (!isObject(releases) || !/^(?:CVE|TEMP)-[\w-]{1,40}$/.test(id)) throw malformed(id, 'is not described')
  const summary = summaryOf(memberOf(issue, 'description'))
  return Object.entries(releases).flatMap(([codename, release]) => {
    const number = DEBIAN_VERSIONS[codename]
    const judged = number === undefined ? undefined : judge(release, id)
    if (!judged) return []
    const { ranges, state, remark } = judged
    const level = ratingOf(memberOf(release, 'urgency'))
    return {
      id,
      aliases: [],
      ecosystem: `Debian:${number}`,
      name,
      ranges,
      state,
      ...(level && { severity: { level, by: 'debian' } }),
      ...(summary && { summary }),
      url: `https://security-tracker.debian.org/tracker/${id}`,
      source: 'debian-tracker',
      ...(remark && { remark }),
    }
  })
}

type Judged = { readonly ranges: VersionRange[]; readonly state: FixState; readonly remark?: string }

/** Undefined when the release is not affected: the tracker calls that fixed in version 0. */
function judge(release: unknown, id: string): Judged | undefined {
  const all = [{ events: [{ introduced: '0' }] }]
  switch (memberOf(release, 'status')) {
    case 'resolved': {
      const fixed = textOf(memberOf(release, 'fixed_version'))
      if (fixed === undefined || fixed === '0') return undefined
      return { ranges: [{ events: [{ introduced: '0' }, { fixed }] }], state: 'fixed' }
    }
    case 'open':
      return { ranges: all, ...openState(release) }
    case 'undetermined':
      return { ranges: all, state: 'under investigation' }
    default:
      throw malformed(id, 'has a status that is not known')
  }
}

/**
 * `nodsa` says why there is no security update of its own: it can wait for the next point release. Source: Debian's security
 * tracker documentation, "Severity levels" and "Issues not warranting a security advisory".
 */
function openState(release: unknown): { state: FixState; remark?: string } {
  const urgency = memberOf(release, 'urgency')
  if (urgency === 'end-of-life' || urgency === '<end-of-life>')
    return { state: 'will not fix', remark: 'the release no longer supports this package' }
  const why = summaryOf(memberOf(release, 'nodsa'))
  const remark = why === undefined ? {} : { remark: why }
  switch (memberOf(release, 'nodsa_reason')) {
    case 'ignored':
      return { state: 'will not fix', ...remark }
    case undefined:
    case null:
      return why === undefined ? { state: 'not fixed' } : { state: 'deferred', ...remark }
    default:
      return { state: 'deferred', ...remark }
  }
}
