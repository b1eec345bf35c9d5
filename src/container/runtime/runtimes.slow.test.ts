import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { cannotRunContainers } from '../../../test/kit/busybox-rootfs.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { runtimeContract } from './contract.ts'
import { programs } from './programs.ts'
import { openRuntime } from './runtime.ts'

const PATH = '/usr/sbin:/usr/bin:/sbin:/bin'

for (const name of ['runc', 'crun'] as const) {
  const isThere = PATH.split(':').some((directory) => existsSync(join(directory, name)))
  const skip = cannotRunContainers() || (isThere ? false : `${name} is not installed`)
  runtimeContract(name, skip, async () => {
    const directory = await temporaryDirectory('bale-runtime')
    mkdirSync(join(directory.path, 'state'))
    const stateDirectory = join(directory.path, 'state/runtime')
    const runtime = await openRuntime({ name, programs: programs(PATH), stateDirectory })
    return {
      runtime,
      directory: directory.path,
      [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
    }
  })
}
