import type { ScanFacts } from '../decide/index.ts'
import type { ScanStatus } from '../meta/index.ts'
import { scanFactsOf, storedFindingKeys } from '../scan/index.ts'

interface Known {
  /** The database's time. */
  now: number
  /** Milliseconds since each finding was known first; undefined when no gate asks for that. */
  knownFor: ((keys: readonly string[]) => Promise<ReadonlyMap<string, number>>) | undefined
}

/** What gates look at of a scan: the newest result, whatever is being tried since. Undefined while there is nothing to tell. */
export async function factsOfScan(
  scan: ScanStatus | undefined,
  { now, knownFor }: Known,
): Promise<ScanFacts | undefined> {
  if (scan?.result) {
    const { bytes } = scan.result
    return scanFactsOf(bytes, { now, knownFor: (await knownFor?.(storedFindingKeys(bytes))) ?? new Map() })
  }
  if (scan?.state !== 'failed') return undefined
  return { status: 'failed', reasons: [scan.failure ?? 'unknown reasons'], findings: [], dataAge: 0 }
}

/** Why there is nothing to tell yet, where more is known than that nobody has looked. */
export function pendingOf(scan: ScanStatus | undefined): string | undefined {
  if (scan?.state === 'scanned') return 'its packages have not been compared with advisories yet'
  return scan?.failure === undefined ? undefined : `its scan failed, and is tried again: ${scan.failure}`
}
