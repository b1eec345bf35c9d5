import type { OperationOptions } from '#base'
import type { Digest } from '#spec'
import type { BuiltAdvisories, BundleInfo, InstalledBundle } from '#trust/advisories/bundle'
import type { ScanResult } from '#trust/match'
import type { AttachmentTree } from '#trust/signature'
import type { EngineContext } from './context/context.ts'
import type { BuildAdvisoriesOptions, PullAdvisoriesOptions, TakeAdvisoriesOptions } from './trust/advisory-bundle.ts'
import type { GenerateKeysOptions } from './trust/generate-keys.ts'
import type { ScanFormat } from './trust/report-scan.ts'
import type { ImageSbom, SbomOptions } from './trust/sbom.ts'
import type { FindingFilter, ScannedImage, ScanOptions } from './trust/scan.ts'
import type { AttestOptions, SignedImage, SignImageOptions } from './trust/sign.ts'
import type { VerifiedImage, VerifyImageOptions } from './trust/verify.ts'
import type { PathOrigin, WhyOptions } from './trust/why.ts'

/**
 * What is inside images, and whether it can be trusted. An image is named as it is typed: a name or ID of the store,
 * `docker://NAME` for an image in its registry, the path of a tar archive, `oci-layout://DIRECTORY`.
 */
export class TrustOperations {
  readonly #context: EngineContext

  constructor(context: EngineContext) {
    this.#context = context
  }

  /**
   * Lists the packages of an image and what is known of their vulnerabilities. Nothing is mounted, extracted or run. What
   * could not be looked at, or is not covered by data, is part of the result. Throws IMAGE_NOT_FOUND, MANIFEST_NOT_FOUND,
   * NO_MATCHING_PLATFORM.
   */
  async scan(image: string, options?: ScanOptions): Promise<ScannedImage> {
    return (await import('./trust/scan.ts')).scanImage(this.#context, image, options)
  }

  /**
   * Where a path of an image comes from: the layer and the step that brought it, the package that installed it, and what is
   * known of that. Links are followed inside the image. Throws PATH_NOT_FOUND.
   */
  async why(image: string, path: string, options?: WhyOptions): Promise<PathOrigin> {
    return (await import('./trust/why.ts')).originOf(this.#context, image, path, options)
  }

  /** What `scan` would give, of a result that a registry has. */
  async scanned(name: string, result: ScanResult, show?: FindingFilter): Promise<ScannedImage> {
    return (await import('./trust/scan.ts')).scannedImage(name, result, show)
  }

  /** A scan as a document for programs (`json`, `sarif`, `cyclonedx`) or browsers (`html`), with a newline at its end. */
  async report(scanned: ScannedImage, format: ScanFormat): Promise<string> {
    return (await import('./trust/report-scan.ts')).reportScan(this.#context, scanned, format)
  }

  /** The packages of an image as a bill of materials: CycloneDX 1.6 by default, or SPDX 2.3. */
  async sbom(image: string, options?: SbomOptions): Promise<ImageSbom> {
    return (await import('./trust/sbom.ts')).imageSbom(this.#context, image, options)
  }

  /**
   * Builds a bundle of advisories from what projects publish, or from other places: downloads what has changed, and installs
   * it on this machine or writes it to a file. Places that fail are named and leave the rest.
   */
  async buildAdvisories(options?: BuildAdvisoriesOptions): Promise<BuiltAdvisories> {
    return (await import('./trust/advisory-bundle.ts')).buildBundle(this.#context, options)
  }

  /** Installs a bundle of advisories that is in a file. CONFLICT for one that is older than the one that is here. */
  async importAdvisories(file: string, options?: TakeAdvisoriesOptions): Promise<InstalledBundle> {
    return (await import('./trust/advisory-bundle.ts')).importBundle(this.#context, file, options)
  }

  /** Fetches a bundle of advisories from a registry and installs it. UNTRUSTED unless one of the keys signed it. */
  async pullAdvisories(name: string, options?: PullAdvisoriesOptions): Promise<InstalledBundle> {
    return (await import('./trust/advisory-bundle.ts')).pullNamedBundle(this.#context, name, options)
  }

  /** Sends the bundle of advisories of this machine, or one in a file, to a registry, where it can be signed. */
  async pushAdvisories(
    name: string,
    options?: OperationOptions & { file?: string },
  ): Promise<{ name: string; digest: Digest }> {
    return (await import('./trust/advisory-bundle.ts')).pushNamedBundle(this.#context, name, options)
  }

  /** What the bundle of advisories of this machine, or one in a file, knows, and how old it is. PATH_NOT_FOUND when there is none. */
  async advisories(options?: { file?: string }): Promise<BundleInfo> {
    return (await import('./trust/advisory-bundle.ts')).describeBundle(this.#context, options)
  }

  /**
   * Signs what a name refers to in its registry now, and puts the signature beside it there. Returns what was signed: the
   * images of an index as well with `recursive`. Throws MANIFEST_NOT_FOUND, UNAUTHORIZED, DENIED, INVALID_ARGUMENT for a key.
   */
  async sign(name: string, options: SignImageOptions): Promise<SignedImage[]> {
    return (await import('./trust/sign.ts')).signImage(this.#context, name, options)
  }

  /** Signs a document about what a name refers to in its registry now, and puts it beside that. */
  async attest(name: string, options: AttestOptions): Promise<SignedImage> {
    return (await import('./trust/sign.ts')).attestImage(this.#context, name, options)
  }

  /**
   * Checks who signed what a name refers to in its registry now: somebody with one of the keys, an identity, a certificate, or
   * whom a policy requires. Throws UNTRUSTED with the reasons when nobody did.
   */
  async verify(name: string, options: VerifyImageOptions): Promise<VerifiedImage> {
    return (await import('./trust/verify.ts')).verifyNamed(this.#context, name, options)
  }

  /** What is attached to an image or index in its registry: signatures, attestations, SBOMs. Nothing of it is verified. */
  async attachments(name: string, options?: OperationOptions): Promise<AttachmentTree> {
    return (await import('./trust/sign.ts')).attachmentsOf(this.#context, name, options)
  }

  /**
   * Makes a pair of keys to sign with, and writes `NAME.key` and `NAME.pub`, whose paths are returned. CONFLICT when one of
   * them is there.
   */
  async generateKeys(name: string, options?: GenerateKeysOptions): Promise<{ privateKey: string; publicKey: string }> {
    return (await import('./trust/generate-keys.ts')).generateKeyFiles(name, options)
  }
}
