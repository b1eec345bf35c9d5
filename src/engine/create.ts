import { BaleError, isBaleError, type OperationOptions } from '#base'
import type { Container, ContainerImage, HostOptions, ProcessOptions } from '#container'
import {
  familiarName,
  formatPlatform,
  matchPlatform,
  type Platform,
  parsePlatform,
  parseReference,
  platformPreferences,
  withDefaultTag,
} from '#spec'
import type { StoredImage } from '#store'
import { containerMachinery } from './container-machinery.ts'
import type { EngineContext } from './context/context.ts'
import { tellOfPorts, withPublishAddress } from './publish-address.ts'
import { openAdmission } from './trust/open-admission.ts'

/** The requested container, with its image by name. */
export interface ContainerRequest {
  name?: string
  image: string
  /** `linux/arm64`; this machine's by default. */
  platform?: string
  /** When to ask the image's registry. */
  pull?: 'missing' | 'always' | 'never'
  config: ProcessOptions
  host: HostOptions
}

/** Makes a container that does not run yet. An image that is missing is pulled. */
export async function createContainer(
  context: EngineContext,
  request: ContainerRequest,
  options: OperationOptions = {},
): Promise<{ id: string; name: string }> {
  const { id, name } = await makeContainer(context, request, options)
  return { id, name }
}

/** As `createContainer`; with `keepMounted` the root file system waits for the start. */
export async function makeContainer(
  context: EngineContext,
  request: ContainerRequest,
  options: OperationOptions & { keepMounted?: boolean } = {},
): Promise<Container> {
  const { lifecycle } = await containerMachinery(context)
  const image = await imageFor(context, request, options)
  const { name, config, host } = request
  const made = await lifecycle.create({ name, image, config, host: withPublishAddress(context, host) }, options)
  tellOfPorts(context, host, options)
  return made
}

async function imageFor(
  context: EngineContext,
  request: ContainerRequest,
  options: OperationOptions,
): Promise<ContainerImage> {
  const image = await storedImage(context, request, options)
  await (await openAdmission(context))?.used(image, options)
  const { platform } = image
  const here = context.platform
  if (request.platform === undefined && platform.architecture !== here.architecture)
    options.progress?.({
      kind: 'warning',
      text: `The requested image's platform (${platform.os}/${platform.architecture}) does not match the detected host platform (${here.os}/${here.architecture}) and no specific platform was requested`,
    })
  return {
    id: image.id,
    reference: request.image,
    config: image.config.config ?? {},
    layers: image.config.rootfs.diff_ids,
    platform,
  }
}

async function storedImage(
  context: EngineContext,
  request: ContainerRequest,
  options: OperationOptions,
): Promise<StoredImage> {
  const { image, platform, pull = 'missing' } = request
  // The options are parsed before anything is fetched.
  const asked = platform === undefined ? undefined : parsePlatform(platform, context.platform)
  const fetchIt = async () => {
    const { pullImage } = await import('./pull.ts')
    await pullImage(context, image, { ...options, platform: asked && formatPlatform(asked) })
  }
  if (pull === 'always') await fetchIt()
  try {
    return await imageHere(context, image, asked)
  } catch (error) {
    if (!isMissing(error) || pull !== 'missing') throw error
    const reference = parseReference(image)
    const name = familiarName(reference.digest ? reference : withDefaultTag(reference))
    options.progress?.({ kind: 'image', phase: 'missing', name })
    await fetchIt()
    return imageHere(context, image, asked)
  }
}

const isMissing = (error: unknown) =>
  isBaleError(error, 'IMAGE_NOT_FOUND') || isBaleError(error, 'NO_MATCHING_PLATFORM')

/**
 * The image of the store. A requested platform is the image's, or one that a machine of it runs; only an image
 * that does not name its platform is taken as it is.
 */
async function imageHere(context: EngineContext, name: string, asked: Platform | undefined): Promise<StoredImage> {
  const store = await context.store()
  const image = await store.images.resolve(name, { platform: asked ?? context.platform })
  const { platform } = image
  if (asked === undefined || platform.architecture === '') return image
  if (platformPreferences(asked).some((one) => matchPlatform(one, platform))) return image
  throw new BaleError(
    'NO_MATCHING_PLATFORM',
    `image with reference ${name} was found but does not provide the specified platform (${formatPlatform(asked)})`,
    { hint: `it is available for ${formatPlatform(platform)}` },
  )
}
