/** As long as Linux takes one. */
const LONGEST_PATH = 4096

/** A path that a package lists, without a leading slash; undefined for what is not a path. */
export function ownedPath(listed: string): string | undefined {
  if (listed.length > LONGEST_PATH) return undefined
  const path = listed.replace(/^\.?\/+/, '')
  return path === '' || path === '.' ? undefined : path
}
