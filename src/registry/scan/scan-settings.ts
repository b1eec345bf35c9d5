import { resolve } from 'node:path'
import { BaleError } from '#base'
import type { ScanLimits } from './scan-process.ts'

/** How images are scanned. */
export interface ScanningSettings extends Partial<ScanLimits> {
  /** Scans that a process runs at the same time; 1 by default. */
  workers?: number
  /** Path of a bundle of advisories, which may be replaced at any time. Without it, packages are listed but not checked for vulnerabilities. */
  advisories?: string
}

const MIB = 1024 * 1024

/** What a scan may take when nothing else is said. */
export const SCAN_DEFAULTS = { workers: 1, memory: 1024 * MIB, timeout: 600_000 } as const
export const LEAST_SCAN_MEMORY = 256 * MIB
const MOST_WORKERS = 64

/** INVALID_ARGUMENT for settings that cannot be. */
export function checkedSettings(
  settings: ScanningSettings,
): Required<Omit<ScanningSettings, 'advisories'>> & { advisories: string | undefined } {
  const checked = { ...SCAN_DEFAULTS, ...settings }
  const { workers, memory, timeout } = checked
  if (!(workers >= 1 && workers <= MOST_WORKERS)) throw invalid(`from 1 to ${MOST_WORKERS} scans run at the same time`)
  if (!(memory >= LEAST_SCAN_MEMORY)) throw invalid(`a scan needs at least ${LEAST_SCAN_MEMORY / MIB} MiB of memory`)
  if (!(timeout >= 1000)) throw invalid('a scan needs at least one second')
  return { ...checked, advisories: settings.advisories === undefined ? undefined : resolve(settings.advisories) }
}

const invalid = (message: string) => new BaleError('INVALID_ARGUMENT', message)
