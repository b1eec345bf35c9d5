import type { FoundPackage } from '../../model.ts'
import { type Header, Tag } from './header.ts'

/** The package of a header; undefined for a key that signatures are checked with, which rpm keeps like a package. */
export function packageOf(header: Header): FoundPackage | undefined {
  const name = header.text(Tag.NAME) ?? ''
  if (name === 'gpg-pubkey') return undefined
  const version = header.text(Tag.VERSION)
  const release = header.text(Tag.RELEASE)
  return rpmPackage({
    name,
    release: version && release ? `${version}-${release}` : '',
    epoch: header.number(Tag.EPOCH),
    architecture: header.text(Tag.ARCH),
    sourceFile: header.text(Tag.SOURCERPM),
    licences: [header.text(Tag.LICENSE) ?? ''],
    vendor: header.text(Tag.VENDOR),
    modularity: header.text(Tag.MODULARITYLABEL),
  })
}

interface RpmFacts extends Pick<FoundPackage, 'name' | 'architecture' | 'licences' | 'vendor' | 'modularity'> {
  /** Version and release: `3.0.7-25.el9`; empty when unknown. */
  release: string
  epoch?: number
  /** `openssl-3.0.7-25.el9.src.rpm` */
  sourceFile?: string
}

/**
 * A package as rpm writes its version. The name of the source file has no epoch: packages have that of their source,
 * unless the source gives one of them another, which is rare.
 */
export function rpmPackage({ release, epoch, sourceFile, ...rest }: RpmFacts): FoundPackage {
  const withEpoch = (version: string) => (epoch === undefined ? version : `${epoch}:${version}`)
  const [, sourceName, sourceRelease] = /^(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm$/.exec(sourceFile ?? '') ?? []
  return {
    type: 'rpm',
    ...rest,
    version: release && withEpoch(release),
    source: sourceName && sourceRelease ? { name: sourceName, version: withEpoch(sourceRelease) } : undefined,
  }
}
