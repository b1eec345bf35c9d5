import { type Members, memberOf, textsOf } from '../values.ts'

/** What a vulnerability of a record is called. */
export interface Identity {
  readonly id: string
  readonly aliases: readonly string[]
  readonly remark?: string
}

const IDS_LIMIT = 2000

/** Notices of updates, which name the vulnerabilities that the update fixes as upstream or, before OSV 1.7, as related. */
const NOTICE =
  /^(?:DSA|DLA|DTSA|ELA|USN|LSN|ALSA|ALBA|ALEA|RLSA|RLBA|RLEA|RXSA|RHSA|RHBA|RHEA|MGASA|OESA|CLSA|AZL|openSUSE|SUSE)-/

/**
 * The names of what a record is about. One name with its aliases, also where the record is a distribution's of one upstream
 * vulnerability (`DEBIAN-CVE-…`). A notice of several is split: they are no aliases of one another, and an exception for one of
 * them must not hide the rest.
 */
export function identitiesOf(record: Members, id: string): Identity[] {
  const aliases = idsOf(record, 'aliases', id)
  const upstream = idsOf(record, 'upstream', id)
  const related = NOTICE.test(id) ? idsOf(record, 'related', id).filter((one) => one.startsWith('CVE-')) : []
  const covered = upstream.length > 0 ? withoutNotices(upstream) : aliases.length > 0 ? [] : related
  if (covered.length > 1) return covered.map((one) => ({ id: one, aliases: [], remark: `reported in ${id}` }))
  return [{ id, aliases: [...new Set([...aliases, ...covered])] }]
}

/** The CVE ids, if there are any: the other ids are of notices about them, and are dropped. */
function withoutNotices(ids: readonly string[]): readonly string[] {
  const cves = ids.filter((one) => one.startsWith('CVE-'))
  return cves.length > 0 ? cves : ids
}

function idsOf(record: Members, name: string, id: string): string[] {
  return [...new Set(textsOf(memberOf(record, name), `${id}: ${name}`, IDS_LIMIT))].filter((one) => one !== id)
}
