import { resolve } from 'node:path'
import { BaleError } from '#base'
import type { ScanLimits } from './scan-process.ts'

/** How images are looked at. */
export interface ScanningSettings extends Partial<ScanLimits> {
  /** Scans that a process does at once; 1 by default. */
  workers?: number
  /** Path of a bundle of advisories, which may be replaced at any time. Without it, packages are listed alone. */
  advisories?: string
}

const MIB = 1024 * 1024

/** What a scan may take when nothing else is said. */
const SCAN_DEFAULTS = { workers: 1, memory: 1024 * MIB, timeout: 600_000 } as const

/** INVALID_ARGUMENT for settings that cannot be. */
export function checkedSettings(
  settings: ScanningSettings,
): Required<Omit<ScanningSettings, 'advisories'>> & { advisories: string | undefined } {
  const checked = { ...SCAN_DEFAULTS, ...settings }
  const { workers, memory, timeout } = checked
  if (!(workers >= 1 && workers <= 64)) throw invalid('from 1 to 64 scans are done at once')
  if (!(memory >= 128 * MIB)) throw invalid('a scan needs 128 MiB of memory at least')
  if (!(timeout >= 1000)) throw invalid('a scan needs a second at least')
  return { ...checked, advisories: settings.advisories === undefined ? undefined : resolve(settings.advisories) }
}

const invalid = (message: string) => new BaleError('INVALID_ARGUMENT', message)
