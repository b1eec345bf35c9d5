import { readAll } from '#base'
import type { Advisory } from '../advisory.ts'
import type { Tally } from './tally.ts'
import { isObject, listOf, malformed, memberOf, parseSource, requiredText, textsOf } from './values.ts'

/** Bytes of a document: Alpine's have at most 2 MiB. */
const DOCUMENT_LIMIT = 64 * 2 ** 20
const PACKAGES_LIMIT = 200_000
const FIXES_LIMIT = 10_000

/**
 * Advisories of a security database of Alpine, or of a distribution that writes the same (Wolfi, Chainguard): which version of
 * which source package fixed what. It knows nothing of what is not fixed. The ecosystem is `Alpine:v3.19` by the document's
 * release, or the one given. A package that cannot be read is skipped and counted; throws INVALID_ARCHIVE when
 * the document is none. Source: secdb.alpinelinux.org, README.
 */
export async function* readAlpineSecdb(
  document: AsyncIterable<Uint8Array>,
  { tally, ecosystem }: { tally: Tally; ecosystem?: string },
): AsyncGenerator<Advisory> {
  const what = 'the security database'
  const bytes = await readAll(document, { limit: DOCUMENT_LIMIT, what })
  const content = parseSource(bytes, what)
  const release = ecosystem ?? `Alpine:${releaseOf(content)}`
  if (!isObject(content) || !Array.isArray(content['packages'])) throw malformed(what, 'has no packages')
  for (const entry of listOf(content['packages'], what, PACKAGES_LIMIT)) {
    yield* tally.read('a package', () => advisoriesOf(memberOf(entry, 'pkg'), release)) ?? []
  }
}

function releaseOf(content: unknown): string {
  const release = memberOf(content, 'distroversion')
  if (typeof release === 'string' && /^(?:v\d{1,3}\.\d{1,3}|edge)$/.test(release)) return release
  throw malformed('the security database', 'is of no release that is known')
}

function advisoriesOf(entry: unknown, ecosystem: string): Advisory[] {
  const name = requiredText(memberOf(entry, 'name'), 'a package', 'name')
  const fixes = memberOf(entry, 'secfixes')
  if (!isObject(fixes)) throw malformed(name, 'has no list of fixes')
  /** Versions by vulnerability: a first fix may have been incomplete. */
  const found = new Map<string, { aliases: string[]; versions: string[] }>()
  for (const [version, texts] of Object.entries(fixes)) {
    // Never affected.
    if (version === '0') continue
    requiredText(version, name, 'version')
    for (const text of textsOf(texts, `${name} ${version}`, FIXES_LIMIT)) {
      for (const { id, aliases } of idsIn(text)) {
        const known = found.get(id) ?? { aliases, versions: [] }
        known.versions.push(version)
        found.set(id, known)
      }
    }
  }
  return [...found].map(([id, { aliases, versions }]) => ({
    id,
    aliases,
    ecosystem,
    name,
    ranges: versions.map((fixed) => ({ events: [{ introduced: '0' }, { fixed }] })),
    state: 'fixed',
    url: `https://security.alpinelinux.org/vuln/${id}`,
    source: 'alpine-secdb',
  }))
}

/** `CVE-2021-1234 XSA-99` is one vulnerability; two CVE ids in a text are two. Words that are no ids are comments. */
function idsIn(text: string): { id: string; aliases: string[] }[] {
  const ids = [...new Set(text.split(/[\s,;()]/).filter((word) => ID.test(word)))]
  const cves = ids.filter((id) => id.startsWith('CVE-'))
  const others = ids.filter((id) => !id.startsWith('CVE-'))
  if (cves.length > 1) return cves.map((id) => ({ id, aliases: [] }))
  const [id, ...aliases] = [...cves, ...others]
  return id === undefined ? [] : [{ id, aliases }]
}

const ID = /^(?:CVE-\d{4}-\d{4,12}|[A-Z][A-Z0-9]{1,15}-[A-Za-z0-9][A-Za-z0-9.-]{0,40})$/
