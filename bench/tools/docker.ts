import { startDockerd } from '../../test/interop/dockerd.ts'
import { pidFrom } from '../daemons.ts'
import { basic, firstLine, type Tool } from './tool.ts'

/** Debian's docker with a daemon of its own; builds are BuildKit's, which the daemon has in it. */
export async function dockerTool(directory: string): Promise<Tool> {
  const dockerd = await startDockerd(directory, [])
  const env = basic({
    DOCKER_HOST: `unix://${dockerd.socket}`,
    DOCKER_BUILDKIT: '1',
    DOCKER_CONFIG: `${directory}/config`,
  })
  const docker = (...args: string[]) => [dockerd.client, ...args]
  return {
    name: 'docker',
    version: await firstLine(docker('--version'), env),
    env,
    about: docker('--version'),
    daemons: () => [...pidFrom(`${directory}/dockerd.pid`), ...pidFrom(`${directory}/exec/containerd/containerd.pid`)],
    containers: () => docker('ps'),
    images: () => docker('images'),
    pull: (image) => docker('pull', '-q', image),
    save: (image, file) => docker('save', '-o', file, image),
    load: (file) => docker('load', '-q', '-i', file),
    remove: (image) => docker('rmi', '-f', image),
    loadedName: (name) => name,
    push: (_image, target, compression) => (compression === 'gzip' ? docker('push', '-q', target) : undefined),
    run: (args) => docker('run', ...args),
    exec: (args) => docker('exec', ...args),
    removeContainer: (id) => docker('rm', '-f', id),
    commit: (id, image) => docker('commit', id, image),
    export: (id, file) => docker('export', '-o', file, id),
    build: (tag, context, file = 'Dockerfile') =>
      docker('build', '-q', '--network', 'host', '-f', `${context}/${file}`, '-t', tag, context),
    forgetBuilds: () => [docker('image', 'prune', '-f'), docker('builder', 'prune', '-af')],
    [Symbol.asyncDispose]: () => dockerd[Symbol.asyncDispose](),
  }
}
