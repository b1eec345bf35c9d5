import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execute } from '../kit/bale.ts'

/** Debian's podman with stores of its own below a folder. */
export interface TestPodman {
  readonly environment: Record<string, string>
  /** Runs `podman ARGS`, fails the test when it fails, returns trimmed stdout. */
  run(args: readonly string[]): Promise<string>
}

export const PODMAN = '/usr/bin/podman'

/** Lets everything be copied unsigned, for skopeo and podman. */
export function writePolicy(folder: string): string {
  const file = join(folder, 'policy.json')
  writeFileSync(file, '{"default":[{"type":"insecureAcceptAnything"}]}')
  return file
}

export function testPodman(folder: string): TestPodman {
  mkdirSync(folder, { recursive: true })
  const limits = 'default_ulimits = ["nofile=1024:1024","nproc=1024:1024"]'
  writeFileSync(
    join(folder, 'containers.conf'),
    `[containers]\n${limits}\n[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\ntmp_dir = "${folder}/tmp"\n`,
  )
  writeFileSync(
    join(folder, 'storage.conf'),
    `[storage]\ndriver = "vfs"\ngraphroot = "${folder}/graph"\nrunroot = "${folder}/run"\n`,
  )
  const environment = {
    HOME: folder,
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    CONTAINERS_CONF: join(folder, 'containers.conf'),
    CONTAINERS_STORAGE_CONF: join(folder, 'storage.conf'),
    XDG_RUNTIME_DIR: folder,
  }
  return {
    environment,
    async run(args) {
      const outcome = await execute(PODMAN, args, { env: environment })
      if (outcome.code !== 0) throw new Error(`podman ${args.join(' ')} failed: ${outcome.stderr}${outcome.stdout}`)
      return outcome.stdout.trim()
    },
  }
}
