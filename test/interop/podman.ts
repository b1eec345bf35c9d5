import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execute } from '../kit/bale.ts'

/** Debian's podman with stores of its own below a directory. */
export interface TestPodman {
  readonly environment: Record<string, string>
  /** Runs `podman ARGS`, fails the test when it fails, returns trimmed stdout. */
  run(args: readonly string[]): Promise<string>
}

export const PODMAN = '/usr/bin/podman'

/** Lets everything be copied unsigned, for skopeo and podman. */
export function writePolicy(directory: string): string {
  const file = join(directory, 'policy.json')
  writeFileSync(file, '{"default":[{"type":"insecureAcceptAnything"}]}')
  return file
}

export function testPodman(directory: string): TestPodman {
  mkdirSync(directory, { recursive: true })
  const limits = 'default_ulimits = ["nofile=1024:1024","nproc=1024:1024"]'
  writeFileSync(
    join(directory, 'containers.conf'),
    `[containers]\n${limits}\n[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\ntmp_dir = "${directory}/tmp"\n`,
  )
  writeFileSync(
    join(directory, 'storage.conf'),
    `[storage]\ndriver = "vfs"\ngraphroot = "${directory}/graph"\nrunroot = "${directory}/run"\n`,
  )
  const environment = {
    HOME: directory,
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    CONTAINERS_CONF: join(directory, 'containers.conf'),
    CONTAINERS_STORAGE_CONF: join(directory, 'storage.conf'),
    XDG_RUNTIME_DIR: directory,
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
