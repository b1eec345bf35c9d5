import { PackageURL } from 'packageurl-js'
import { DEFAULT_TAG, type Digest, familiarRepository, formatPlatform, normalizePlatform, type Platform } from '#spec'

/** A name with a tag, a digest or both. */
interface NamedImage {
  readonly registry: string
  readonly repository: string
  readonly tag?: string
  readonly digest?: Digest
}

/**
 * The package URL by which BuildKit names images: `pkg:docker/localhost:5000/team/web@1?platform=linux%2Famd64`. Without tag and
 * digest it is `latest`. Source: package-url/purl-spec, type docker.
 */
export function imageUrl(image: NamedImage, { platform }: { platform?: Platform } = {}): string {
  const { tag, digest } = image
  const parts = familiarRepository(image).split('/')
  const qualifiers = { ...(digest && { digest }), ...(platform && { platform: shown(platform) }) }
  const version = tag ?? (digest ? undefined : DEFAULT_TAG)
  return new PackageURL('docker', parts.slice(0, -1).join('/'), parts.at(-1)!, version, qualifiers).toString()
}

/** The package URL of an image that came from a directory, or has no name in a registry: `pkg:oci/web@1?platform=…`. */
export function localImageUrl(name: string, version: string, { platform }: { platform: Platform }): string {
  return new PackageURL('oci', undefined, name, version, { platform: shown(platform) }).toString()
}

function shown(platform: Platform): string {
  return formatPlatform(normalizePlatform(platform))
}
