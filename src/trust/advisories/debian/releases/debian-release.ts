import type { OperatingSystem } from '#trust/inventory'
import { DEBIAN_CODENAMES } from '../../debian-codenames.ts'

/** A release of Debian, by both of its names. */
export interface DebianRelease {
  /** `bookworm` */
  readonly codename: string
  /** `12` */
  readonly version: string
}

/**
 * The release of Debian that an image is of; undefined for another system, and for unstable, which has no security
 * archive.
 */
export function debianRelease({ id, version, codename }: OperatingSystem): DebianRelease | undefined {
  const number = /^(\d{1,3})(?:\.\d{1,3})?$/.exec(version ?? '')?.[1]
  if (id !== 'debian' || number === undefined) return undefined
  // Images without a package manager often have the number alone.
  const name = DEBIAN_CODENAMES[number] ?? codename
  return name !== undefined && /^[a-z]{2,20}$/.test(name) ? { codename: name, version: number } : undefined
}
