import type { OperatingSystem } from '../model.ts'
import { RELEASE_FILES } from './release-files.ts'

/** A system, and the file that names it. */
interface FoundSystem {
  /** Without a leading slash. */
  readonly path: string
  readonly system: OperatingSystem
}

/**
 * The system of an image, from what its files say; undefined when none says anything. os-release decides, before the files
 * of single distributions. Two files add to it: `etc/alpine-release` gives the full version of Alpine, and where Debian's
 * os-release has no version, which is so for testing and sid, `etc/debian_version` gives what it lacks.
 */
export function chooseSystem(found: readonly FoundSystem[]): OperatingSystem | undefined {
  const said = new Map(found.map(({ path, system }) => [path, system]))
  const system = [...RELEASE_FILES.keys()].map((path) => said.get(path)).find((one) => one !== undefined)
  const alpine = said.get('etc/alpine-release')
  if (system?.id === 'alpine' && alpine?.version) return { ...system, version: alpine.version }
  if (system?.id === 'debian' && !system.version) return { ...said.get('etc/debian_version'), ...system }
  return system
}
