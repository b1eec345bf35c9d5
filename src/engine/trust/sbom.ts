import { BaleError, printable } from '#base'
import { readImageConfig } from '#image'
import type { Digest } from '#spec'
import { cycloneDx, spdx } from '#trust/sbom'
import type { EngineContext } from '../context/context.ts'
import { packageVersion } from '../version/index.ts'
import { type ImagePlaceOptions, type OpenedImage, openImage } from './image-place.ts'
import { json } from './report-scan.ts'
import { inventoryOf } from './scan.ts'

/** The forms of a bill of materials: CycloneDX 1.6, SPDX 2.3, both in JSON. */
type SbomFormat = 'cyclonedx' | 'spdx'

/** What `sbom` needs besides the image. */
export interface SbomOptions extends ImagePlaceOptions {
  format?: SbomFormat
  /** Puts it beside the image in its registry, where `docker://NAME` has it. */
  attach?: boolean
}

/** A bill of materials, and how much of the image it knows. */
export interface ImageSbom {
  name: string
  /** JSON with a newline at its end; the same image gives the same text. */
  text: string
  /** Why it is not complete, in words. */
  gaps: readonly { where: string; reason: string }[]
  /** Of the manifest that was attached. */
  attached?: Digest
}

/** The packages of an image as a bill of materials. Throws INVALID_ARGUMENT when it is to be attached to an image of no registry. */
export async function imageSbom(context: EngineContext, text: string, options: SbomOptions = {}): Promise<ImageSbom> {
  if (options.attach && !text.startsWith('docker://'))
    throw new BaleError(
      'INVALID_ARGUMENT',
      `${printable(text)} is in no registry, so nothing can be attached to it there`,
      {
        hint: `push it, and name it docker://${printable(text)}`,
      },
    )
  await using image = await openImage(context, text, options)
  const sbom = await sbomOf(context, image, options)
  return options.attach ? { ...sbom, attached: await attachTo(context, text, { ...options, image, sbom }) } : sbom
}

/** The same of an opened image, without attaching it. */
async function sbomOf(context: EngineContext, image: OpenedImage, options: SbomOptions): Promise<ImageSbom> {
  const inventory = await inventoryOf(context, image, options)
  const write = options.format === 'spdx' ? spdx : cycloneDx
  const created = await creationOf(context, image, options)
  const named = { name: image.name, reference: image.reference }
  const document = await write(inventory, { ...named, version: packageVersion(), created })
  return { name: image.name, text: json(document), gaps: inventory.gaps }
}

const TYPES = { cyclonedx: 'application/vnd.cyclonedx+json', spdx: 'application/spdx+json' }

/** To the image for the platform, which it is about; an index has one for each of its images. */
async function attachTo(
  context: EngineContext,
  text: string,
  { image, sbom, format = 'cyclonedx', signal }: SbomOptions & { image: OpenedImage; sbom: ImageSbom },
): Promise<Digest> {
  const [{ openNamed }, { attach, makeAttachment }] = await Promise.all([
    import('./sign.ts'),
    import('#trust/signature'),
  ])
  await using named = await openNamed(context, text, { signal, writing: true })
  const mediaType = TYPES[format]
  const attachment = makeAttachment({
    subject: image.manifest.descriptor,
    artifactType: mediaType,
    layers: [{ mediaType, bytes: Buffer.from(sbom.text) }],
    created: context.config.sourceDateEpoch,
  })
  await attach(named.repository, attachment, { signal })
  return attachment.manifest.descriptor.digest
}

/** SOURCE_DATE_EPOCH, or when the image says it was made: never the time of day, so that documents can be compared. */
async function creationOf(
  { config }: EngineContext,
  { source, manifest }: OpenedImage,
  { signal }: SbomOptions,
): Promise<Date | undefined> {
  if (config.sourceDateEpoch !== undefined) return new Date(config.sourceDateEpoch * 1000)
  const read = manifest.kind === 'manifest' ? await readImageConfig(source, manifest.manifest, { signal }) : undefined
  const created = new Date(read?.config.created ?? Number.NaN)
  return Number.isNaN(created.getTime()) ? undefined : created
}
