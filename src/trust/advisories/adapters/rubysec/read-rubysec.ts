import type { Advisory } from '../../advisory.ts'
import { levelOf } from '../cvss.ts'
import type { RecordFile } from '../records/record-file.ts'
import type { Tally } from '../tally.ts'
import { isObject, malformed, memberOf, requiredText, summaryOf, textOf, textsOf, timeOf } from '../values.ts'
import { loadYaml } from '../yaml-source.ts'
import { rangesOutside } from './gem-ranges.ts'

const LIST_LIMIT = 1000

/** Files of the database that are advisories of gems: `gems/rack/CVE-2022-30122.yml`. Those of Ruby itself are not read. */
export function isRubySecFile(name: string): boolean {
  return /(?:^|\/)gems\/[^/]+\/[^/]+\.ya?ml$/.test(name)
}

/**
 * Advisories of the Ruby advisory database, one YAML file each. A malformed file is skipped and counted. Source:
 * ruby-advisory-db, README, "Schema".
 */
export async function* readRubySec(
  files: AsyncIterable<RecordFile> | Iterable<RecordFile>,
  { tally }: { tally: Tally },
): AsyncGenerator<Advisory> {
  const parseYaml = await loadYaml()
  for await (const { name, bytes } of files) {
    const advisory = tally.read(name, () => advisoryOf(parseYaml(bytes), name))
    if (advisory) yield advisory
  }
}

function advisoryOf(record: unknown, file: string): Advisory {
  if (!isObject(record)) throw malformed('it', 'is no advisory')
  const name = requiredText(record['gem'], 'it', 'gem')
  const [id, ...aliases] = idsOf(record)
  if (id === undefined) throw malformed(file, 'has no id')
  const [patched = [], unaffected = []] = ['patched_versions', 'unaffected_versions'].map((list) =>
    textsOf(memberOf(record, list), `${id}: ${list}`, LIST_LIMIT),
  )
  const severity = severityOf(record)
  const summary = summaryOf(record['title'], record['description'])
  const url = textOf(record['url'], 2000)
  const published = timeOf(record['date'])
  return {
    id,
    aliases,
    ecosystem: 'RubyGems',
    name,
    ranges: rangesOutside([...patched, ...unaffected]),
    state: patched.length > 0 ? 'fixed' : 'not fixed',
    ...(severity && { severity }),
    ...(summary && { summary }),
    ...(url && { url }),
    ...(published && { published }),
    source: 'rubysec',
  }
}

/** The CVE's id first. */
function idsOf(record: Readonly<Record<string, unknown>>): string[] {
  const prefixes = [
    ['cve', 'CVE'],
    ['ghsa', 'GHSA'],
    ['osvdb', 'OSVDB'],
  ] as const
  return prefixes.flatMap(([member, prefix]) => {
    const value = memberOf(record, member)
    const text = typeof value === 'number' ? String(value) : textOf(value, 60)
    return text !== undefined && /^[\w-]+$/.test(text) ? [`${prefix}-${text}`] : []
  })
}

/** Scores without vectors, of the newest version of CVSS that there is. */
function severityOf(record: unknown): Advisory['severity'] {
  for (const [member, vector] of [
    ['cvss_v4', 'CVSS:4.0'],
    ['cvss_v3', 'CVSS:3.1'],
    ['cvss_v2', ''],
  ] as const) {
    const score = memberOf(record, member)
    if (typeof score === 'number' && score >= 0 && score <= 10)
      return { level: levelOf(score, vector), by: 'rubysec', score }
  }
  return undefined
}
