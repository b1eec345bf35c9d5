import { dirname, join } from 'node:path'
import { BaleError, printable } from '#base'
import { outputPlace, temporaryDirectory, withNoSpace } from '#host/file'
import type { Advisory, Coverage } from '../../advisory.ts'
import type { BundleInfo, SourceInfo } from './bundle-info.ts'
import type { BundleSource, Overlays } from './bundle-source.ts'
import { openBundle } from './open-bundle.ts'
import { replaceFile } from './replace-file.ts'
import { createStaging } from './staging.ts'
import { coverageKey, writeBundleFile } from './write-file.ts'

/** A bundle that is being made. One call at a time. Disposing without `finish` leaves nothing. */
export interface BundleWriter extends AsyncDisposable {
  /**
   * Takes in a source as a whole: when its stream throws, nothing of it stays, and what it threw is thrown. An advisory of more
   * than 4 MiB is skipped, and told to the source's tally.
   */
  add(source: BundleSource): Promise<SourceInfo>
  /**
   * Writes the file, checks it and puts it in its place, also over an older one. Throws LIMIT_EXCEEDED for a package with
   * more advisories than a reader takes; what was there then stays.
   */
  finish(more?: { overlays?: Overlays }): Promise<BundleInfo>
}

/**
 * Begins a bundle. `created` is RFC 3339. The rows of sources wait beside the file, where there must be room for
 * them twice; they are sorted in the system's directory for temporary files.
 * Throws INVALID_ARGUMENT when no file can be at `typed`.
 */
export async function startBundle(typed: string, { created }: { created: string }): Promise<BundleWriter> {
  const path = filePath(typed)
  await using stack = new AsyncDisposableStack()
  const directory = stack.use(await temporaryDirectory(dirname(path), '.advisories-'))
  const staging = stack.use(createStaging(join(directory.path, 'staging')))
  const held = stack.move()
  const sources: SourceInfo[] = []
  const coverage = new Map<string, Omit<Coverage, 'advisories'>>()
  return {
    async add(source) {
      const found = new Map<string, Omit<Coverage, 'advisories'>>()
      await withNoSpace(path, () => staging.add(noting(source, found), (id, reason) => source.tally?.skip(id, reason)))
      const { kind, address, licence, asOf, remark } = source
      const { records = 0, skipped = 0 } = source.tally ?? {}
      const info = { kind, address, ...(licence && { licence }), asOf, records, skipped, ...(remark && { remark }) }
      sources.push(info)
      for (const [key, one] of found) coverage.set(key, joined(coverage.get(key), one))
      return info
    },
    async finish({ overlays = {} } = {}) {
      const temporary = join(directory.path, 'bundle')
      await withNoSpace(path, async () =>
        writeBundleFile(temporary, {
          created,
          sources: [...sources, ...(overlays.sources ?? [])],
          advisories: staging.rows(),
          overlays,
          coverage: [...coverage.values()],
        }),
      )
      const info = checkedInfo(temporary)
      await replaceFile(temporary, path)
      return info
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

function checkedInfo(path: string): BundleInfo {
  using bundle = openBundle(path)
  bundle.check()
  return bundle.info
}

/** Where the file will be: a link stays one. */
function filePath(typed: string): string {
  const place = outputPlace(typed)
  if (place.kind === 'file') return place.path
  throw new BaleError('INVALID_ARGUMENT', `a bundle of advisories is a file, and ${printable(typed)} is none`)
}

/** Passes advisories on and notes which ecosystems they are of. */
async function* noting(
  { advisories, knows, asOf, remark }: BundleSource,
  found: Map<string, Omit<Coverage, 'advisories'>>,
): AsyncGenerator<Advisory> {
  for await (const advisory of advisories) {
    const key = coverageKey(advisory)
    if (!found.has(key)) {
      const { ecosystem, source } = advisory
      found.set(key, { ecosystem, source, knows: knows(ecosystem), asOf, ...(remark && { remark }) })
    }
    yield advisory
  }
}

/** Characters, and by that fewer bytes than a reader takes. */
const REMARK_LENGTH = 1000

/** Of an ecosystem that a source has in several parts: as old as the oldest. */
function joined(
  known: Omit<Coverage, 'advisories'> | undefined,
  one: Omit<Coverage, 'advisories'>,
): Omit<Coverage, 'advisories'> {
  if (!known) return one
  const remarks = [...new Set([known.remark, one.remark])].filter((remark) => remark !== undefined)
  return {
    ...one,
    knows: known.knows === 'fixed' ? 'fixed' : one.knows,
    asOf: known.asOf < one.asOf ? known.asOf : one.asOf,
    ...(remarks.length > 0 && { remark: printable(remarks.join('; '), REMARK_LENGTH) }),
  }
}
