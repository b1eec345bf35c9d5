import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { PODMAN } from '../../test/interop/podman.ts'
import { execute } from '../../test/kit/bale.ts'
import { basic, firstLine, type Tool } from './tool.ts'

/** Debian's podman, whose builds are buildah's. */
export async function podmanTool(directory: string): Promise<Tool> {
  if (!existsSync(PODMAN)) throw new Error('the Debian package podman is not installed')
  mkdirSync(directory, { recursive: true })
  const conf = `${directory}/containers.conf`
  writeFileSync(
    conf,
    '[containers]\ndefault_ulimits = ["nofile=1024:1024","nproc=1024:1024"]\n[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n',
  )
  writeFileSync(
    `${directory}/storage.conf`,
    `[storage]\ndriver = "overlay"\ngraphroot = "${directory}/root"\nrunroot = "${directory}/run"\n`,
  )
  const env = basic({ CONTAINERS_CONF: conf, CONTAINERS_STORAGE_CONF: `${directory}/storage.conf` })
  const podman = (...args: string[]) => [PODMAN, ...args]
  return {
    name: 'podman',
    version: await firstLine(podman('--version'), env),
    env,
    about: podman('--version'),
    containers: () => podman('ps'),
    images: () => podman('images'),
    pull: (image) => podman('pull', '-q', '--tls-verify=false', image),
    save: (image, file) => podman('save', '-q', '-o', file, image),
    load: (file) => podman('load', '-q', '-i', file),
    remove: (image) => podman('rmi', '-f', image),
    loadedName: (name) => `docker.io/${name}`,
    push: (image, target, compression) =>
      podman('push', '-q', '--tls-verify=false', '--compression-format', compression, image, target),
    run: (args) => podman('run', ...args),
    exec: (args) => podman('exec', ...args),
    removeContainer: (id) => podman('rm', '-f', '-t', '0', id),
    commit: (id, image) => podman('commit', '-q', id, image),
    export: (id, file) => podman('export', '-o', file, id),
    // Its other kind of isolation does not work where a limit may not be raised; this one is the faster.
    build: (tag, context, file = 'Dockerfile') =>
      podman(
        'build',
        '-q',
        '--isolation',
        'chroot',
        '--network',
        'host',
        '--layers',
        '-f',
        `${context}/${file}`,
        '-t',
        tag,
        context,
      ),
    forgetBuilds: () => [podman('image', 'prune', '-f')],
    async [Symbol.asyncDispose]() {
      await execute(PODMAN, ['system', 'reset', '-f'], { env })
    },
  }
}
