import type { OperationOptions } from '#base'
import type { Container } from '#container'
import { containerEvent } from '#container/model'
import { type LayerDescription, makeImage, plainLayer } from '#image'
import {
  type ContainerConfig,
  type Digest,
  familiarName,
  fullName,
  type History,
  imageName,
  parseReference,
} from '#spec'
import type { LayerRecord, Store } from '#store'
import { containerMachinery } from './container-machinery.ts'
import type { EngineContext } from './context/context.ts'
import { creationTime } from './import-image.ts'
import { openAdmission } from './trust/open-admission.ts'

/** The name of the new image, and where its configuration differs from the container's. */
export interface CommitOptions extends OperationOptions {
  /** Reference for the new image; without it the image has only its ID. */
  name?: string
  author?: string
  message?: string
  /** Dockerfile instructions that change the config. */
  changes?: readonly string[]
  /** False: the container keeps running while it is read. */
  pause?: boolean
}

/** Makes an image of a container: its image, its changes as one more layer, and its configuration. */
export async function commitContainer(
  context: EngineContext,
  idOrName: string,
  options: CommitOptions = {},
): Promise<{ id: Digest; name?: string }> {
  const reference = options.name === undefined ? undefined : imageName(parseReference(options.name))
  const [{ files, state }, { applyChanges }] = await Promise.all([containerMachinery(context), import('#build')])
  const { document } = await state.find(idOrName)
  // All options are checked before the container is frozen.
  const config = applyChanges(imagePart(document.config), options.changes ?? [])
  const store = await context.store()
  await using intake = store.operation({ purpose: 'commit' })
  const { seen, layer } = await files.storeLayer(idOrName, intake, options)
  const { record } = seen
  const base = record.imageId && (await store.images.get(record.imageId))
  // A container that wrote nothing adds no layer, as in docker.
  const own = layer.diffId === EMPTY_TAR ? [] : [plainLayer(layer.diffId, layer.tarSize)]
  const step = historyEntry(record, { ...options, created: creationTime(context), isEmpty: own.length === 0 })
  const { created, author } = step
  const made = { ...record.document.platform, created, author, config }
  const image = base
    ? makeImage({ base, config: { ...made, history: [step] }, layers: own })
    : makeImage({
        config: { ...made, history: [...record.layers.map(() => ({ comment: 'unknown' })), step] },
        layers: [...(await layersOf(store, record)), ...own],
      })
  const stored = await intake.putImage({ config: image.configBytes, manifest: image.manifestBytes })
  await (await openAdmission(context))?.made([stored.descriptor.digest])
  await store.images.announce('create', stored.id)
  if (reference) await store.images.setName(reference, stored.descriptor, { tagged: true })
  const imageRef = reference ? familiarName(reference) : ''
  const attributes = { comment: options.message ?? '', imageID: stored.id, imageRef }
  await store.events.add([containerEvent(record, 'commit', attributes)])
  return { id: stored.id, ...(reference && { name: fullName(reference) }) }
}

/** Digest of a tar without entries: its two zero blocks. */
const EMPTY_TAR = 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef'

const KEPT = [
  ...(['User', 'ExposedPorts', 'Env', 'Entrypoint', 'Cmd', 'Volumes'] as const),
  ...(['WorkingDir', 'Labels', 'StopSignal', 'Healthcheck', 'Shell', 'OnBuild'] as const),
]

/** The part of a container's configuration that an image keeps. */
function imagePart(config: ContainerConfig): ContainerConfig {
  const isEmpty = (value: unknown) =>
    value === undefined ||
    value === '' ||
    (typeof value === 'object' && value !== null && Object.keys(value).length === 0)
  return Object.fromEntries(KEPT.map((name) => [name, config[name]] as const).filter(([, value]) => !isEmpty(value)))
}

function historyEntry(
  { document: { config } }: Container,
  { created, author, message, isEmpty }: CommitOptions & { created: string; isEmpty: boolean },
): History {
  return {
    created,
    created_by: [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])].join(' '),
    ...(author !== undefined && { author }),
    ...(message !== undefined && { comment: message }),
    ...(isEmpty && { empty_layer: true }),
  }
}

/** The layers of a container whose image was removed. */
async function layersOf(store: Store, record: Container): Promise<LayerDescription[]> {
  const layers = await Promise.all(record.layers.map((diffId) => store.layers.get(diffId)))
  return layers
    .filter((layer): layer is LayerRecord => layer !== undefined)
    .map((layer) => plainLayer(layer.diffId, layer.tarSize))
}
