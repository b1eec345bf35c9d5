/** A machine to build on: a store in a temporary directory, mounts, steps run by runc without a network, a small base image. */
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { BaleError, type ProgressEvent, systemClock } from '#base'
import { type BuildMachine, type BuildOptions, build } from '#build'
import { openContainers } from '#container'
import { packTar } from '#format/tar'
import { type ImageDocuments, makeImage, plainLayer } from '#image'
import { chooseLayerFormat, createRootfs, flatten } from '#rootfs'
import { imageName, parseReference } from '#spec'
import { openStore, type Store } from '#store'
import { createFetcher } from '#transport/http'
import { busyboxRootfs, cannotRunContainers } from './busybox-rootfs.ts'
import { temporaryDirectory } from './temporary.ts'

export { cannotRunContainers }

export interface BuildKit extends AsyncDisposable {
  readonly store: Store
  readonly machine: BuildMachine
  /** The directory of everything; below it, also outside of contexts, tests may put files. */
  readonly directory: string
  /** A new context with these files. */
  context(files: Record<string, string | { link: string }>): Promise<string>
  /** Builds a context (an empty one by default) with this Dockerfile, keeps the image, and tells what was seen. */
  build(dockerfile: string, options?: Partial<Omit<BuildOptions, 'context'>> & { context?: string }): Promise<KitResult>
  /** A shell command's output in a fresh root file system of an image. */
  inspect(image: ImageDocuments, script: string): Promise<string>
  /** The tar of an image's last layer, as `name` -> what tar tells. */
  lastLayer(image: ImageDocuments): Promise<string[]>
}

export interface KitResult {
  image: ImageDocuments
  /** `[2/3] RUN x` -> cached or done. */
  steps: Record<string, string>
  output: string
  warnings: string[]
  /** Of the build checks: `3 RuleName: what it says`. */
  findings: string[]
}

export async function buildKit(): Promise<BuildKit> {
  const directory = await temporaryDirectory('bale-build')
  const root = join(directory.path, 'store')
  const run = join(directory.path, 'run')
  const empty = join(directory.path, 'empty')
  await mkdir(empty)
  await mkdir(root)
  const store = await openStore({ root, run, layerFormats: await chooseLayerFormat(root) })
  const rootfs = createRootfs({ store, run })
  const web = createFetcher({})
  const runner = openContainers({ store, rootfs, path: '/usr/sbin:/usr/bin:/sbin:/bin' }).steps.runner()
  const platform = { os: 'linux', architecture: 'amd64' }
  const findImage = async (name: string) => ({ image: (await store.images.find(name)).image, wasLocal: true })
  const machine: BuildMachine = {
    store,
    rootfs,
    platform,
    clock: systemClock,
    runStep: runner,
    fetchUrl: (address, options) => web.get(address, options),
    findImage,
    describeImage: findImage,
  }
  await importBase(store, directory.path)
  const tarPath = join(directory.path, 'listed.tar')

  const builtOf: BuildKit['build'] = async (dockerfile, { context = empty, ...options } = {}) => {
    const steps: Record<string, string> = {}
    const warnings: string[] = []
    const findings: string[] = []
    let output = ''
    const progress = (event: ProgressEvent) => {
      if (event.kind === 'step') steps[event.name] = event.state
      if (event.kind === 'warning') warnings.push(event.text)
      if (event.kind === 'finding') findings.push(`${event.lines[0]} ${event.rule}: ${event.detail}`)
      if (event.kind === 'output') output += Buffer.from(event.bytes).toString()
    }
    await using built = await build(machine, {
      context: { kind: 'directory', path: context },
      dockerfile: { kind: 'text', text: dockerfile, name: 'Dockerfile' },
      network: 'none',
      progress,
      ...options,
    })
    await using intake = store.operation({ purpose: 'test' })
    await intake.putImage({ config: built.image.configBytes, manifest: built.image.manifestBytes })
    return { image: built.image, steps, output, warnings, findings }
  }
  let contexts = 0

  return {
    store,
    machine,
    directory: directory.path,
    build: builtOf,
    async context(files) {
      const context = join(directory.path, `context-${contexts++}`)
      await mkdir(context)
      for (const [name, content] of Object.entries(files)) {
        const path = join(context, name)
        await mkdir(dirname(path), { recursive: true })
        if (typeof content === 'string') await writeFile(path, content)
        else await symlink(content.link, path)
      }
      return context
    },
    async inspect(image, script) {
      const upper = join(directory.path, `inspect-${crypto.randomUUID()}`)
      await mkdir(upper)
      const layers = image.config.rootfs.diff_ids
      // The tools come from the base, should the image have none.
      await using mounted = await rootfs.prepareRootfs(layers, {
        id: `inspect-${crypto.randomUUID()}`,
        writable: { upper: join(upper, 'upper'), work: join(upper, 'work') },
      })
      let output = ''
      const { exitCode } = await runner({
        rootfsPath: mounted.path,
        args: ['/bin/sh', '-c', script],
        env: ['PATH=/bin:/usr/bin'],
        cwd: '/',
        network: 'none',
        onOutput: (_stream, bytes) => {
          output += Buffer.from(bytes).toString()
        },
      })
      if (exitCode !== 0) throw new Error(`${script} ended with ${exitCode}: ${output}`)
      return output
    },
    async lastLayer(image) {
      const { execFileSync } = await import('node:child_process')
      const chunks: Uint8Array[] = []
      for await (const chunk of store.layers.openTar(image.config.rootfs.diff_ids.at(-1)!)) chunks.push(chunk)
      await writeFile(tarPath, Buffer.concat(chunks))
      return execFileSync('tar', ['--numeric-owner', '-tvf', tarPath], { encoding: 'utf8' }).split('\n').filter(Boolean)
    },
    async [Symbol.asyncDispose]() {
      await runner[Symbol.asyncDispose]()
      await web[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
      await directory[Symbol.asyncDispose]()
    },
  }
}

/** `base:latest`: busybox with a few users, mode 1777 on /tmp. */
async function importBase(store: Store, directory: string): Promise<void> {
  const tree = await busyboxRootfs(join(directory, 'base'))
  const { chmod } = await import('node:fs/promises')
  await chmod(join(tree, 'tmp'), 0o1777)
  await using intake = store.operation({ purpose: 'test' })
  const layer = await intake.layers.write(packTar(flatten(tree)))
  const created = '2024-01-02T03:04:05Z'
  const image = makeImage({
    config: {
      ...{ os: 'linux', architecture: 'amd64', created },
      config: { Env: ['PATH=/bin:/usr/bin'], Cmd: ['sh'] },
      history: [{ created, created_by: 'import' }],
    },
    layers: [plainLayer(layer.diffId, layer.tarSize)],
  })
  const stored = await intake.putImage({ config: image.configBytes, manifest: image.manifestBytes })
  await store.images.setName(imageName(parseReference('base')), stored.descriptor)
}

/** The message and code of what a build throws. */
export async function failure(building: Promise<unknown>): Promise<BaleError> {
  try {
    await building
  } catch (error) {
    if (error instanceof BaleError) return error
    throw error
  }
  throw new Error('the build succeeded')
}
