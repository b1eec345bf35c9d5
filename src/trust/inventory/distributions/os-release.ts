import type { Analyser } from '../analyser.ts'
import { RELEASE_FILES } from './release-files.ts'

/** Real ones have less than 1 kB. */
const LIMIT = 64 << 10

/**
 * The operating system, from os-release and from the older files of single distributions (`etc/alpine-release`,
 * `etc/debian_version`, `etc/redhat-release`, `etc/lsb-release` and so on). An image may have several: each gives a
 * `system`, and `chooseSystem` makes one of them.
 */
export const osRelease: Analyser = {
  name: 'os-release',
  wants: ({ path }) => (RELEASE_FILES.has(path) ? { limit: LIMIT } : undefined),
  analyse: async (file) => {
    const system = RELEASE_FILES.get(file.path)?.((await file.read()).toString('utf8'))
    return system ? { system } : {}
  },
}
