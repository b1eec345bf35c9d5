import { join } from 'node:path'
import { BaleError } from '#base'
import type { StepMount } from '#container'
import { type PackedEntry, packTar } from '#format/tar'
import { writeFileWithMode } from '#host/file'
import { changeset } from '#rootfs'
import { expanded, runEnvironment } from '../apply-metadata.ts'
import { guarded } from '../build-arguments.ts'
import type { BuildRun, LayerStep } from '../build-run.ts'
import { cacheKey, chainId } from '../cache-key.ts'
import { dockerfileError, parseMount, type RunCommand } from '../dockerfile/index.ts'
import type { StageState } from '../stage-state.ts'
import type { Stage } from '../stages.ts'
import { claimCacheMounts } from './cache-mounts.ts'
import { createOutputTail } from './output-tail.ts'
import { type RunLine, runCreatedBy, runLine } from './run-command.ts'
import { type PreparedMount, prepareMount } from './step-mounts.ts'
import { stepTitle } from './title.ts'
import { untouchedDirectoriesRemoved } from './untouched-directories.ts'

/** RUN: executed over the stage's layers; what it wrote becomes a layer, even when that is nothing. */
export async function runStep(run: BuildRun, stage: Stage, state: StageState, command: RunCommand): Promise<LayerStep> {
  const { instruction } = command
  const line = runLine(state, command)
  const network = networkOf(run, command)
  const insecure = command.security === 'insecure'
  if (insecure) permit(run, command, 'security.insecure')
  const cwd = state.config.WorkingDir || '/'
  const user = state.config.User ?? ''
  const { env, proxies } = runEnvironment(state, run.given)
  const layers = [...state.diffIds]
  const options = command.mounts.map((text) =>
    guarded(instruction, () => parseMount(text, (value) => expanded(state, instruction, value))),
  )
  const mounts: PreparedMount[] = []
  for (const option of options) mounts.push(await prepareMount(run, stage, option, cwd))
  const { platform } = state
  const definition = {
    chain: chainId(layers),
    ...{ platform, args: line.args, script: line.script?.content, env, cwd, user, network, insecure },
    mounts: mounts.map((mount) => mount.definition),
    hosts: run.hosts.map((host) => host.split(':')[0]),
    epoch: run.epoch,
  }
  return {
    title: stepTitle(instruction, state),
    createdBy: runCreatedBy(state, line.args),
    keys: [async () => cacheKey('run', definition)],
    async execute(output) {
      const { session, signal } = run
      await using stack = new AsyncDisposableStack()
      const directories = await claimCaches(run, mounts, stack)
      const rootfs = stack.use(await session.mount(layers, { writable: true, signal }))
      const opened: { mounts: StepMount[]; env?: string[] }[] = []
      for (const mount of mounts) opened.push(await mount.open(stack, directories.get(mount)))
      if (line.script) opened.push({ mounts: [await scriptMount(run, line.script)] })
      const tail = createOutputTail()
      const { exitCode, failure } = await session.machine.runStep({
        rootfsPath: rootfs.path,
        args: line.args,
        env: [...env, ...proxies, ...opened.flatMap((one) => one.env ?? [])],
        ...{ cwd, user, network, insecure, signal },
        hosts: [...run.hosts],
        shmSize: run.shmSize,
        additionalMounts: opened.flatMap((one) => one.mounts),
        onOutput(stream, bytes) {
          const shown = tail.add(bytes)
          if (shown) output(stream, shown)
        },
      })
      if (exitCode !== 0) throw failed(command, line, { exitCode, failure, output: failure ? [failure] : tail.lines() })
      const { upper, lowers } = rootfs
      const entries = untouchedDirectoriesRemoved(changeset(upper!, { lowers }), lowers)
      const layer = await session.machine.store.layers.write(packTar(clamped(entries, run.epoch)), { signal })
      return { diffId: layer.diffId }
    },
  }
}

function networkOf(run: BuildRun, command: RunCommand): BuildRun['network'] {
  if (command.network === 'default') return run.network
  if (command.network === 'host' && run.network !== 'host') permit(run, command, 'network.host')
  return command.network
}

/** What weakens the walls around a step needs a word on the command line (B03). */
function permit(run: BuildRun, { instruction }: RunCommand, entitlement: string): void {
  if (run.allowed.has(entitlement)) return
  throw dockerfileError(instruction.source, instruction.range.start, `${entitlement} is not allowed`, {
    hint: `allow it with --allow ${entitlement}, if you trust this Dockerfile`,
  })
}

async function claimCaches(run: BuildRun, mounts: readonly PreparedMount[], stack: AsyncDisposableStack) {
  const caches = mounts.filter((mount) => mount.cache !== undefined)
  const { session, signal, progress } = run
  const requests = caches.map((mount) => mount.cache!)
  const directories = await claimCacheMounts(session.machine.store.root, requests, stack, { signal, progress })
  return new Map(caches.map((mount, index) => [mount, directories[index]!]))
}

async function scriptMount(run: BuildRun, script: NonNullable<RunLine['script']>): Promise<StepMount> {
  const path = join(await run.session.newDirectory('script'), 'script')
  await writeFileWithMode(path, script.content, 0o755)
  return { type: 'bind', source: path, target: script.path, readOnly: true }
}

interface Failure {
  exitCode: number
  /** It could not even be started. */
  failure: string | undefined
  output: string[]
}

function failed({ instruction }: RunCommand, line: RunLine, { exitCode, failure, output }: Failure): BaleError {
  const command = line.args.join(' ')
  const { message, details } = dockerfileError(
    instruction.source,
    instruction.range.start,
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
