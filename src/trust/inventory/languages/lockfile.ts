import type { Interest } from '../analyser.ts'
import { isInside, isNamed } from './file-names.ts'

/** Some hundred times a large one. */
const LOCKFILE_LIMIT = 64 << 20

/** Interest in a file of this name; not inside an installed package, where it says how that was developed. */
export function lockfileNamed(path: string, name: string, packages?: string): Interest | undefined {
  if (!isNamed(path, name) || (packages !== undefined && isInside(path, packages))) return undefined
  return { limit: LOCKFILE_LIMIT }
}
