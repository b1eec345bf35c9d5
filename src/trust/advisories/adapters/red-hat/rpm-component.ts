import type { PackageURL } from 'packageurl-js'
import { modularName } from '../../modular-name.ts'
import type { Product } from './product-tree.ts'
import { redHatEcosystem } from './red-hat-ecosystem.ts'

/** A package of a release of Red Hat, as advisories name it. */
export interface RpmComponent {
  readonly ecosystem: string
  readonly name: string
  readonly isSource: boolean
  /** With its epoch, if it has one; only of a build that has the fix. */
  readonly version?: string
}

/** Undefined for a text that is no package URL. */
export type ReadPurl = (text: string) => PackageURL | undefined

export async function loadPurls(): Promise<ReadPurl> {
  const { PackageURL } = await import('packageurl-js')
  return (text) => {
    try {
      return PackageURL.fromString(text)
    } catch {
      return undefined
    }
  }
}

/** Undefined for what is no package of Enterprise Linux: containers, layered products. */
export function rpmComponent({ cpe, purl, modulePurl }: Product, readPurl: ReadPurl): RpmComponent | undefined {
  const ecosystem = cpe === undefined ? undefined : redHatEcosystem(cpe)
  if (ecosystem === undefined || !purl?.startsWith('pkg:rpm/redhat/')) return undefined
  const read = readPurl(purl)
  if (!read) return undefined
  const { name, version, qualifiers } = read
  const modularity = qualifiers?.['rpmmod'] ?? moduleOf(modulePurl, readPurl)
  const known = modularity === undefined ? name : modularName(name, modularity)
  if (known === undefined) return undefined
  const epoch = qualifiers?.['epoch']
  return {
    ecosystem,
    name: known,
    isSource: qualifiers?.['arch'] === 'src',
    ...(version && { version: epoch && epoch !== '0' ? `${epoch}:${version}` : version }),
  }
}

/** `postgresql:15:…` of `pkg:rpmmod/redhat/postgresql@15:…`. */
function moduleOf(purl: string | undefined, readPurl: ReadPurl): string | undefined {
  if (!purl?.startsWith('pkg:rpmmod/')) return undefined
  const read = readPurl(purl)
  return read && `${read.name}:${read.version ?? ''}`
}
