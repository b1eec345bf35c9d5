import { table } from '#base'

/** Published vulnerabilities of the runtimes, by the versions that fixed them. Sources: the advisories of runc and crun. */
interface Hole {
  id: string
  runtime: 'runc' | 'crun'
  /** First version that has it; all before `fixed` when undefined. */
  since?: string
  /** The first fixed version of each release line, oldest first; older lines were never fixed. None yet: empty. */
  fixed: readonly string[]
  /** Distribution packages with a fix in an older version. */
  backports?: readonly string[]
  /** A word in `--version` without which the runtime does not have the hole. */
  feature?: string
}

const HOLES: readonly Hole[] = [
  { id: 'CVE-2024-21626', runtime: 'runc', fixed: ['1.1.12'], backports: ['1.1.5+ds1-1+deb12u1'] },
  { id: 'CVE-2024-45310', runtime: 'runc', fixed: ['1.1.14', '1.2.0-rc.3'] },
  { id: 'CVE-2025-31133', runtime: 'runc', fixed: ['1.2.8', '1.3.3', '1.4.0-rc.3'] },
  { id: 'CVE-2025-52565', runtime: 'runc', fixed: ['1.2.8', '1.3.3', '1.4.0-rc.3'] },
  { id: 'CVE-2025-52881', runtime: 'runc', fixed: ['1.2.8', '1.3.3', '1.4.0-rc.3'] },
  { id: 'CVE-2026-41579', runtime: 'runc', fixed: ['1.3.6', '1.4.3', '1.5.0-rc.3'] },
  { id: 'CVE-2025-24965', runtime: 'crun', fixed: ['1.20'], feature: 'LIBKRUN' },
  { id: 'CVE-2026-30892', runtime: 'crun', since: '1.19', fixed: ['1.27'] },
  { id: 'CVE-2026-88264', runtime: 'crun', fixed: [] },
  { id: 'CVE-2026-88265', runtime: 'crun', fixed: [] },
]

/** Why a hole does not open a container of bale; those that are not here are open where the runtime has them. */
const CLOSED = table<string>({
  'CVE-2026-41579': 'an image whose /dev is a link is refused',
  'CVE-2026-30892': 'users are passed by number in a file, never by an option',
  'CVE-2026-88264': 'every container has its own /dev, which an image cannot replace',
  'CVE-2026-88265': 'every container has its own /dev, which an image cannot replace',
})

interface RuntimeVersion {
  name: 'runc' | 'crun'
  /** `1.1.5` */
  version: string
  /** The distribution's version if the program reports it: `1.1.5+ds1-1+deb12u1`. */
  build?: string
  /** The whole answer of `--version`. */
  text: string
}

/** Reads the output of `runc --version` or `crun --version`; undefined when it is something else. */
export function parseRuntimeVersion(text: string): RuntimeVersion | undefined {
  const [, name, version, rest = ''] = /^(runc|crun) version (\d+(?:\.\d+)+(?:-rc\.?\d+)?)(\S*)/m.exec(text) ?? []
  if (!name || !version) return undefined
  // Debian puts the version of its package where others have the commit.
  const commit = /^commit: (\S+)$/m.exec(text)?.[1] ?? ''
  const build = commit.startsWith(version) ? commit : rest ? `${version}${rest}` : undefined
  return { name: name as RuntimeVersion['name'], version, ...(build && { build }), text }
}

export interface Weakness {
  id: string
  /** How bale mitigates it; undefined: no mitigation. */
  closed?: string
}

/** The published vulnerabilities of a version. A distribution's fix that does not show in the version cannot be known. */
export function weaknessesOf(runtime: RuntimeVersion): Weakness[] {
  return HOLES.filter((hole) => hole.runtime === runtime.name && has(runtime, hole)).map(({ id }) => ({
    id,
    ...(CLOSED[id] && { closed: CLOSED[id] }),
  }))
}

function has({ version, build, text }: RuntimeVersion, hole: Hole): boolean {
  if (hole.feature && !text.includes(hole.feature)) return false
  if (hole.since && compare(version, hole.since) < 0) return false
  if (build && hole.backports?.some((mended) => isOrLater(build, mended))) return false
  const line = lineOf(version)
  const own = hole.fixed.find((fix) => compare(lineOf(fix), line) === 0)
  if (own) return compare(version, own) < 0
  const newest = hole.fixed.at(-1)
  return newest === undefined || compare(line, lineOf(newest)) < 0
}

/** `1.2` of `1.2.8`. */
const lineOf = (version: string) => version.split('.').slice(0, 2).join('.')

/** The same upstream version in the same release of Debian, with the same or a later revision. */
function isOrLater(build: string, mended: string): boolean {
  const parts = (text: string) => /^(.*\+deb\d+u)(\d+)$/.exec(text) ?? []
  const [, base, count] = parts(build)
  const [, mendedBase, mendedCount] = parts(mended)
  return build === mended || (base !== undefined && base === mendedBase && Number(count) >= Number(mendedCount))
}

/** By numbers; a release candidate comes before its release. */
function compare(one: string, other: string): number {
  const parts = (text: string) => {
    const [numbers = '', candidate] = text.split(/-rc\.?/)
    return [
      ...[0, 1, 2].map((at) => Number(numbers.split('.')[at] ?? 0)),
      candidate === undefined ? 1e9 : Number(candidate),
    ]
  }
  const others = parts(other)
  return (
    parts(one)
      .map((part, at) => part - others[at]!)
      .find((difference) => difference !== 0) ?? 0
  )
}
