/** A store with an image of Debian's busybox and what runs containers of it, in a temporary directory; all undone at the end. */
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import type { AttachSession, Container, ContainerOptions, Containers, Started } from '../../src/container/index.ts'
import { containersOn } from '../../src/container/open-containers.ts'
import { type Machinery, openMachinery } from '../../src/container/state/machinery.ts'
import { makeImage, plainLayer } from '../../src/image/index.ts'
import { chooseLayerFormat, createRootfs } from '../../src/rootfs/index.ts'
import { type ContainerConfig, imageName, parseReference } from '../../src/spec/index.ts'
import { openStore, type Store } from '../../src/store/index.ts'
import { busyboxTar } from './busybox.ts'
import { temporaryDirectory } from './temporary.ts'

export interface ContainerMachine extends AsyncDisposable {
  containers: Containers
  /** What the operations inside the room take. */
  machinery: Machinery
  store: Store
  directory: string
  options(
    command: string[],
    more?: Partial<ContainerOptions['config']>,
    host?: ContainerOptions['host'],
  ): ContainerOptions
  create(options: ContainerOptions): Promise<Container>
  /** Creates, starts, reads to the end. */
  run(options: ContainerOptions): Promise<{ id: string; code: number; stdout: string; stderr: string }>
  start(id: string): Promise<Started>
  /** Starts it and connects to its streams from its first byte on. */
  startAttached(id: string): Promise<Started & { attach: AttachSession }>
  /** What the monitor would call; the tests have no command line of their own. */
  cleanup(id: string): Promise<void>
}

export async function containerMachine(image: ContainerConfig = { Cmd: ['sh'] }): Promise<ContainerMachine> {
  const temporary = await temporaryDirectory('bale-ct')
  const root = join(temporary.path, 'root')
  const run = join(temporary.path, 'run')
  const store = await openStore({ root, run, layerFormats: await chooseLayerFormat(root) })
  const intake = store.operation({ purpose: 'test' })
  const layer = await intake.layers.write(createReadStream(busyboxTar(temporary.path)))
  const platform = { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch }
  const made = makeImage({ config: { ...platform, config: image }, layers: [plainLayer(layer.diffId, layer.tarSize)] })
  const stored = await intake.putImage({ config: made.configBytes, manifest: made.manifestBytes })
  await intake[Symbol.asyncDispose]()
  await store.images.setName(imageName(parseReference('busybox')), stored.descriptor)
  const rootfs = createRootfs({ store, run })
  const machinery = openMachinery({ store, rootfs, path: '/usr/sbin:/usr/bin:/sbin:/bin' })
  const containers = containersOn(machinery)
  const { lifecycle, upkeep } = containers
  const ids = new Set<string>()
  const create = async (options: ContainerOptions) => {
    const record = await lifecycle.create(options)
    ids.add(record.id)
    return record
  }
  return {
    containers,
    machinery,
    store,
    directory: temporary.path,
    options: (command, more = {}, host = { network: 'none' }) => ({
      image: { id: stored.id, reference: 'busybox', config: image, layers: [layer.diffId], platform },
      config: { command, ...more },
      host,
    }),
    create,
    start: (id) => lifecycle.start(id),
    async startAttached(id) {
      const started = await lifecycle.start(id, { attach: true })
      return { ...started, attach: started.attach! }
    },
    async run(options) {
      const { id } = await create(options)
      const { attach, monitored } = await lifecycle.start(id, { attach: true })
      const output = { stdout: '', stderr: '' }
      for await (const { stream, bytes } of attach!.output()) output[stream] += Buffer.from(bytes).toString()
      const code = await lifecycle.exitOf(id, monitored!.monitor)
      return { id, code, ...output }
    },
    cleanup: (id) => upkeep.cleanup(id, { linger: 0 }),
    async [Symbol.asyncDispose]() {
      for (const id of ids) await lifecycle.remove(id, { force: true, volumes: true }).catch(gone)
      await upkeep.recovery.recover()
      await store[Symbol.asyncDispose]()
      await temporary[Symbol.asyncDispose]()
    },
  }
}

function gone(error: { code?: string }): void {
  if (error.code !== 'CONTAINER_NOT_FOUND') throw error
}
