import type { ScanFacts } from '../decide/index.ts'
import type { ScanStatus } from '../meta/index.ts'
import { scanFactsOf, storedFindingKeys } from '../scan/index.ts'

interface Known {
  /** The database's time. */
  now: number
  /** Milliseconds since each finding was known first; undefined when no gate asks for that. */
  knownFor: ((keys: readonly string[]) => Promise<ReadonlyMap<string, number>>) | undefined
}

/** The newest result of a scan, even while another scan is going on. Undefined until there is a result. */
export async function factsOfScan(
  scan: ScanStatus | undefined,
  { now, knownFor }: Known,
): Promise<ScanFacts | undefined> {
  if (scan?.result) {
    const { bytes } = scan.result
    return scanFactsOf(bytes, { now, knownFor: (await knownFor?.(storedFindingKeys(bytes))) ?? new Map() })
  }
  // Whoever asks takes it for an image: a client may do so too.
  if (scan?.state === 'none') return failed('its layers or its config are not those of an image')
  return scan?.state === 'failed' ? failed(scan.failure ?? 'unknown reasons') : undefined
}

const failed = (reason: string): ScanFacts => ({ status: 'failed', reasons: [reason], findings: [], dataAge: 0 })

/** What the scan is waiting for, if that is known. */
export function pendingOf(scan: ScanStatus | undefined): string | undefined {
  if (scan?.state === 'scanned') return 'its packages are not matched with advisories yet'
  return scan?.failure === undefined ? undefined : `its scan failed and will be retried: ${scan.failure}`
}
