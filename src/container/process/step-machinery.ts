import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { BaleError, errnoOf } from '#base'
import { isClaimed, removeCgroup } from '#host'
import { removeTree } from '#host/file'
import type { Store } from '#store'
import { type Connections, connections } from '../network/index.ts'
import { openRecords, type Records } from '../records/index.ts'
import { openRuntime, type Programs, programs, type Runtime, runtimeOfState } from '../runtime/index.ts'
import { cgroupPath } from '../spec/index.ts'

export interface StepRunnerOptions {
  store: Store
  /** Search path for helper programs, in addition to the system directories. */
  path?: string
  /** `runc` or `crun`; by default the one that is installed. */
  runtime?: string
}

/** Parent of the steps' directories. */
export const stepsDirectory = (store: Store) => join(store.run, 'steps')

/** What steps are made of, and where they are while they run. */
export interface StepMachinery {
  store: Store
  records: Records
  programs: Programs
  runtime: Runtime
  networks: Connections
  /** Parent of the steps' directories. */
  directory: string
}

/** Undoes first what a killed bale left of earlier steps. */
export async function openStepMachinery({ store, path, runtime: name }: StepRunnerOptions): Promise<StepMachinery> {
  const found = programs(path)
  const runtime = await openRuntime({ name, programs: found, stateDirectory: join(store.run, 'runtime') })
  const networks = connections({ store, programs: found })
  const machinery = {
    store,
    records: openRecords(store),
    programs: found,
    runtime,
    networks,
    directory: stepsDirectory(store),
  }
  await sweep(machinery)
  return machinery
}

/** May be called for a step in any state, and again. */
export async function undoStep(machinery: StepMachinery, id: string): Promise<void> {
  const { networks, directory } = machinery
  await (await runtimeOfStep(machinery, id)).delete(id, { force: true })
  if (!(await removeCgroup(cgroupPath(id))))
    throw new BaleError('RUNTIME_FAILED', `processes of build step ${id.slice(0, 12)} cannot be killed`)
  await networks.disconnect(id)
  await removeTree(join(directory, id))
}

/** A leftover step may belong to another runtime. */
async function runtimeOfStep({ runtime, programs: found, store }: StepMachinery, id: string): Promise<Runtime> {
  const stateDirectory = join(store.run, 'runtime')
  const name = runtimeOfState(stateDirectory, id) ?? runtime.name
  return name === runtime.name ? runtime : openRuntime({ name, programs: found, stateDirectory })
}

/** Undoes the steps whose bale process is gone. */
async function sweep(machinery: StepMachinery): Promise<void> {
  for (const id of await stepsBelow(machinery.directory)) {
    if (!isClaimed(join(machinery.directory, id, 'owner.json'))) await undoStep(machinery, id)
  }
}

/** The steps that are running or were left, by ID. */
export async function stepsBelow(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => /^[0-9a-f]{64}$/.test(name))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}
