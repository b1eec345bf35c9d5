import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { claim } from '#host'
import { randomHex } from '#host/file'
import { DEFAULT_NETWORK, type RunStep, type RunStepOptions, type StepResult } from '../model/index.ts'
import { ensureApparmorProfile } from '../runtime/index.ts'
import {
  deviceAccess,
  type OciMount,
  processEnvironment,
  readMachine,
  resolveUser,
  runtimeSpec,
} from '../spec/index.ts'
import { assertKernelDirectories } from './kernel-directories.ts'
import { makeMountPoints, removeMountPoints } from './mount-points.ts'
import { runStepToEnd } from './run-step-to-end.ts'
import {
  openStepMachinery,
  type StepMachinery,
  type StepRunnerOptions,
  stepsBelow,
  stepsDirectory,
  undoStep,
} from './step-machinery.ts'
import { assertStepMounts, mountPointsOf, STEP_HOSTNAME, stepMounts } from './step-mounts.ts'

/** Disposing it removes the default network's bridge if unused. */
export type StepRunner = RunStep & AsyncDisposable

/**
 * Runs the steps of builds: one program in a given root file system, to its end, without a monitor. Everything it
 * needed (namespace, addresses, rules, control group) is undone before the result is there; an abort kills the whole
 * tree of processes. What a killed bale left of earlier steps is cleaned up by the first step.
 */
export function createStepRunner(options: StepRunnerOptions): StepRunner {
  let opened: Promise<StepMachinery> | undefined
  let usedNetwork = false
  const run: RunStep = async (step) => {
    opened ??= openStepMachinery(options)
    usedNetwork ||= step.network === 'bridge'
    return runStep(await opened, step)
  }
  return Object.assign(run, {
    async [Symbol.asyncDispose]() {
      if (!opened || !usedNetwork) return
      const { networks, records } = await opened
      const network = await records.networks.find(DEFAULT_NETWORK)
      if (network) await networks.takeDown(network)
    },
  })
}

/** Undoes what a killed bale left of steps, its processes too; opens no runtime when there is nothing. */
export async function sweepSteps(options: StepRunnerOptions): Promise<void> {
  const left = await stepsBelow(stepsDirectory(options.store))
  if (left.length > 0) await openStepMachinery(options)
}

async function runStep(machinery: StepMachinery, step: RunStepOptions): Promise<StepResult> {
  step.signal?.throwIfAborted()
  const id = randomHex(32)
  const directory = join(machinery.directory, id)
  // A directory with its final name always names its owner, so no sweep removes a step that is just beginning.
  await mkdir(`${directory}.new`, { recursive: true, mode: 0o700 })
  await claim(join(`${directory}.new`, 'owner.json'))
  await rename(`${directory}.new`, directory)
  let stubs: string[] = []
  try {
    assertKernelDirectories(step.rootfsPath)
    assertStepMounts(step)
    const mounts = await stepMounts(machinery, directory, id, step)
    stubs = makeMountPoints(step.rootfsPath, mountPointsOf(mounts))
    const spec = stepSpec(machinery, id, step, mounts)
    const { apparmorProfile } = spec.process
    if (apparmorProfile !== undefined)
      await ensureApparmorProfile(apparmorProfile, { programs: machinery.programs, run: machinery.store.run })
    await writeFile(join(directory, 'config.json'), JSON.stringify(spec), { mode: 0o600 })
    step.signal?.throwIfAborted()
    return await runStepToEnd(machinery, directory, id, step)
  } finally {
    await undoStep(machinery, id)
    removeMountPoints(step.rootfsPath, stubs)
  }
}

function stepSpec({ networks }: StepMachinery, id: string, step: RunStepOptions, mounts: OciMount[]) {
  const hostname = step.hostname ?? STEP_HOSTNAME
  const user = resolveUser(step.rootfsPath, step.user ?? '')
  const namespace = step.network === 'bridge' ? { path: networks.namespacePath(id) } : undefined
  return runtimeSpec({
    id,
    rootfsPath: step.rootfsPath,
    process: {
      args: step.args,
      env: processEnvironment(step.env, { hostname, terminal: false }),
      cwd: step.cwd,
      terminal: false,
      user,
    },
    hostname,
    network: namespace ?? (step.network === 'host' ? 'host' : 'own'),
    host: { privileged: step.insecure, shmSize: step.shmSize },
    mounts,
    devices: deviceAccess([], step.insecure),
    machine: readMachine(),
  })
}
