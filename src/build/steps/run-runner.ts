import { join } from 'node:path'
import { BaleError } from '#base'
import type { StepMount } from '#container'
import { type PackedEntry, packTar } from '#format/tar'
import { writeFileWithMode } from '#host/file'
import { changeset } from '#rootfs'
import { cacheKey, chainId } from '../cache/index.ts'
import { errorAt } from '../dockerfile/index.ts'
import type { Files, Step, StepOf } from '../graph/index.ts'
import type { RunDefinition } from '../instructions/index.ts'
import { claimCacheMounts } from './cache-mounts.ts'
import { createOutputTail } from './output-tail.ts'
import type { StepContext } from './step-context.ts'
import { type PreparedMount, prepareMount } from './step-mounts.ts'
import { untouchedDirectoriesRemoved } from './untouched-directories.ts'

/** RUN: executed over the stage's layers; what it wrote becomes a layer, even when that is nothing. */
export async function runRunner(context: StepContext, node: StepOf<'run'>, inputs: readonly Files[]): Promise<Step> {
  const { definition, platform } = node
  const [below, ...sources] = inputs
  const layers = below!.layers!
  const { args, script, env, cwd, user, network, insecure } = definition
  const mounts: PreparedMount[] = []
  for (const mount of definition.mounts) {
    const source = mount.input === undefined ? undefined : sources[mount.input]
    mounts.push(await prepareMount(context, mount, source, cwd))
  }
  const key = cacheKey('run', {
    chain: chainId(layers),
    ...{ platform, args, script: script?.content, env, cwd, user, network, insecure },
    mounts: mounts.map((mount) => mount.definition),
    hosts: context.hosts.map((host) => host.split(':')[0]),
    epoch: context.epoch,
  })
  return {
    keys: [async () => key],
    async execute(output) {
      const { session, signal, epoch } = context
      await using stack = new AsyncDisposableStack()
      const directories = await claimCaches(context, mounts, stack)
      const rootfs = stack.use(await session.mount(layers, { writable: true, signal }))
      const opened: { mounts: StepMount[]; env?: string[] }[] = []
      for (const mount of mounts) opened.push(await mount.open(stack, directories.get(mount)))
      if (script) opened.push({ mounts: [await scriptMount(context, script)] })
      const tail = createOutputTail()
      const { exitCode, failure } = await session.machine.runStep({
        rootfsPath: rootfs.path,
        args: [...args],
        env: [...env, ...proxiesFor(context, env), ...opened.flatMap((one) => one.env ?? [])],
        ...{ cwd, user, network, insecure, signal },
        hosts: [...context.hosts],
        shmSize: context.shmSize,
        additionalMounts: opened.flatMap((one) => one.mounts),
        onOutput(stream, bytes) {
          const shown = tail.add(bytes)
          if (shown) output(stream, shown)
        },
      })
      if (exitCode !== 0) throw failed(node, { exitCode, failure, output: failure ? [failure] : tail.lines() })
      const { upper, lowers } = rootfs
      const entries = untouchedDirectoriesRemoved(changeset(upper!, { lowers }), lowers)
      const layer = await session.intake.layers.write(packTar(clamped(entries, epoch)), { signal })
      return { diffId: layer.diffId }
    },
  }
}

/** Those that the stage does not set itself. */
function proxiesFor({ proxies }: StepContext, env: RunDefinition['env']): string[] {
  const names = new Set(env.map((entry) => entry.split('=', 1)[0]))
  return proxies.filter((entry) => !names.has(entry.split('=', 1)[0]))
}

async function claimCaches(context: StepContext, mounts: readonly PreparedMount[], stack: AsyncDisposableStack) {
  const caches = mounts.filter((mount) => mount.cache !== undefined)
  const { session, signal, progress } = context
  const requests = caches.map((mount) => mount.cache!)
  const directories = await claimCacheMounts(session.machine.store.root, requests, stack, { signal, progress })
  return new Map(caches.map((mount, index) => [mount, directories[index]!]))
}

async function scriptMount(context: StepContext, script: NonNullable<RunDefinition['script']>): Promise<StepMount> {
  const path = join(await context.session.newDirectory('script'), 'script')
  await writeFileWithMode(path, script.content, 0o755)
  return { type: 'bind', source: path, target: script.path, readOnly: true }
}

interface Failure {
  exitCode: number
  /** It could not even be started. */
  failure: string | undefined
  output: string[]
}

function failed({ origin, definition }: StepOf<'run'>, { exitCode, failure, output }: Failure): BaleError {
  const command = definition.args.join(' ')
  const { message, details } = errorAt(
    origin,
    `process ${JSON.stringify(command)} did not complete successfully: exit code: ${exitCode}`,
  )
  const lines = output.filter((one) => one !== '')
  const shown = lines.length > 0 ? `\nlast lines of its output:\n${lines.map((one) => `  ${one}`).join('\n')}` : ''
  const facts = { ...details, exitCode, command, output: lines, started: failure === undefined }
  return new BaleError('BUILD_FAILED', message + shown, { details: facts })
}

/** SOURCE_DATE_EPOCH: no time of a layer is later. */
async function* clamped(entries: AsyncIterable<PackedEntry>, epoch: number | undefined): AsyncGenerator<PackedEntry> {
  for await (const packed of entries) {
    const isLate = epoch !== undefined && (packed.entry.mtime ?? 0) >= epoch
    yield isLate ? { ...packed, entry: { ...packed.entry, mtime: epoch, mtimeNanoseconds: 0 } } : packed
  }
}
