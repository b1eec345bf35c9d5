import { BaleError, printable } from '#base'
import type { PackageType } from '#trust/inventory'
import type { MetaStore, StoredException } from '../meta/index.ts'
import { checkPattern } from '../pattern/index.ts'
import { checkReason } from './check-reason.ts'

/** Vulnerabilities that gates do not count, each for a time and with a reason. Reports go on showing them. */
export interface Exceptions {
  /** By their IDs; those that expired less than 30 days ago too. */
  list(): Promise<StoredException[]>
  /** Returns the ID. INVALID_ARGUMENT for what cannot be meant. */
  add(vulnerability: string, exception: NewException): Promise<number>
  /** NOT_FOUND when there is none with this ID. */
  remove(id: number): Promise<void>
}

/** An exception for the vulnerability with an id such as `CVE-2024-3094`, or with that alias. */
export interface NewException {
  /** Of repositories. */
  pattern: string
  /** Type and name: `deb/openssl`, `npm/@scope/name`; all packages without it. */
  package?: string
  reason: string
  /** From a minute to 366 days, in milliseconds from now. */
  lasts: number
}

export function createExceptions(meta: MetaStore): Exceptions {
  return {
    list: () => meta.listExceptions(),
    async add(vulnerability, { pattern, package: of, reason, lasts }) {
      checkVulnerability(vulnerability)
      checkPattern(pattern)
      if (of !== undefined) checkPackage(of)
      checkReason(reason)
      checkLasts(lasts)
      return await meta.addException({ vulnerability: canonical(vulnerability), package: of, pattern, reason, lasts })
    },
    async remove(id) {
      if (await meta.removeException(id)) return
      throw new BaleError('NOT_FOUND', `there is no exception ${id}`, { next: { act: 'list-registry-exceptions' } })
    },
  }
}

/** All sources of advisories number what they name, but for one that draws letters and digits. */
const VULNERABILITY = /^(?=.*\d|ghsa-)[a-z][a-z0-9._:+-]{2,127}$/i

function checkVulnerability(text: string): void {
  if (VULNERABILITY.test(text)) return
  throw new BaleError('INVALID_ARGUMENT', `not the id of a vulnerability: ${printable(text, 160)}`, {
    hint: 'for example CVE-2024-3094, GHSA-jfh8-c2jp-5v3q or DSA-5649-1',
  })
}

/** As advisories write those ids that people write in other ways as well. */
function canonical(vulnerability: string): string {
  if (/^cve-/i.test(vulnerability)) return vulnerability.toUpperCase()
  return /^ghsa-/i.test(vulnerability) ? `GHSA${vulnerability.slice(4).toLowerCase()}` : vulnerability
}

const PACKAGE_TYPES: Readonly<Record<PackageType, true>> = {
  ...{ deb: true, apk: true, rpm: true, npm: true, pypi: true, gem: true },
  ...{ golang: true, cargo: true, maven: true, composer: true, nuget: true },
}

function checkPackage(text: string): void {
  const [, type = '', name = ''] = /^([^/]+)\/(.+)$/.exec(text) ?? []
  if (Object.hasOwn(PACKAGE_TYPES, type) && name.length <= 250 && !/[\s\p{Cc}*]/u.test(name)) return
  throw new BaleError('INVALID_ARGUMENT', `not a package: ${printable(text, 160)}`, {
    hint: `type and name, as in deb/openssl or npm/@scope/name; types are ${Object.keys(PACKAGE_TYPES).join(', ')}`,
  })
}

const MINUTE = 60_000
const LONGEST = 366 * 86_400_000

function checkLasts(lasts: number): void {
  if (Number.isSafeInteger(lasts) && lasts >= MINUTE && lasts <= LONGEST) return
  throw new BaleError('INVALID_ARGUMENT', 'an exception lasts from a minute to 366 days')
}
