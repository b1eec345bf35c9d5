import { compareVersions } from '#trust/versions'

/** Whether a version of a Debian package comes after another. False for what is no version. */
export function isNewer(version: string, other: string): boolean {
  return (compareVersions('deb', version, other) ?? 0) > 0
}
