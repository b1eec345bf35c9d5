import type { Verb } from './verb/verb.ts'

/** A line of the table: enough for `bale --help` and for finding a verb without loading it. */
export interface VerbEntry {
  /** First is the verb's own name; the others are docker's aliases. */
  names: readonly [string, ...string[]]
  summary: string
  group: 'Images' | 'Containers' | 'Registries' | 'Networks and volumes' | 'System'
  load(): Promise<{ verb: Verb }>
  /** Called by bale itself: not in the overview. */
  internal?: boolean
}

const entry = (
  group: VerbEntry['group'],
  names: VerbEntry['names'],
  summary: string,
  load: VerbEntry['load'],
): VerbEntry => ({ names, summary, group, load })

/** All verbs. A new verb is a file in verbs/ and a line here. */
export const VERBS: readonly VerbEntry[] = [
  entry(
    'Images',
    ['build', 'image build', 'buildx build', 'builder build'],
    'Build an image from a Dockerfile',
    () => import('./verbs/build.ts'),
  ),
  entry(
    'Images',
    ['import', 'image import'],
    'Create an image from a tar of a root file system',
    () => import('./verbs/import.ts'),
  ),
  entry('Images', ['images', 'image ls', 'image list'], 'List images', () => import('./verbs/images.ts')),
  entry('Images', ['tag', 'image tag'], 'Add a name to an image', () => import('./verbs/tag.ts')),
  entry(
    'Images',
    ['rmi', 'image rm', 'image remove'],
    'Remove names of images, and images that have no name left',
    () => import('./verbs/rmi.ts'),
  ),
  entry('Images', ['save', 'image save'], 'Write images to a tar archive', () => import('./verbs/save.ts')),
  entry('Images', ['load', 'image load'], 'Load images from a tar archive', () => import('./verbs/load.ts')),
  entry('Images', ['image inspect'], 'Show details of images as JSON', () => import('./verbs/image-inspect.ts')),
  entry('Images', ['history', 'image history'], 'Show how an image was made', () => import('./verbs/history.ts')),
  entry('Images', ['image prune'], 'Remove unused images', () => import('./verbs/image-prune.ts')),
  entry('Images', ['builder prune', 'buildx prune'], 'Remove build cache', () => import('./verbs/builder-prune.ts')),
  entry('Registries', ['pull', 'image pull'], 'Download an image from a registry', () => import('./verbs/pull.ts')),
  entry('Registries', ['push', 'image push'], 'Upload an image to a registry', () => import('./verbs/push.ts')),
  entry('Registries', ['login'], 'Log in to a registry', () => import('./verbs/login.ts')),
  entry('Registries', ['logout'], 'Log out of a registry', () => import('./verbs/logout.ts')),
  entry('Registries', ['tags'], 'List the tags of a repository in its registry', () => import('./verbs/tags.ts')),
  entry(
    'Registries',
    ['manifest inspect'],
    'Show the manifest or index of an image',
    () => import('./verbs/manifest-inspect.ts'),
  ),
  entry(
    'Registries',
    ['manifest create'],
    'Create a manifest list: images for several platforms under one name',
    () => import('./verbs/manifest-create.ts'),
  ),
  entry('Registries', ['manifest add'], 'Add images to a manifest list', () => import('./verbs/manifest-add.ts')),
  entry(
    'Registries',
    ['manifest annotate'],
    'Set the platform of an image in a manifest list',
    () => import('./verbs/manifest-annotate.ts'),
  ),
  entry(
    'Registries',
    ['manifest push'],
    'Upload a manifest list and its images to a registry',
    () => import('./verbs/manifest-push.ts'),
  ),
  entry(
    'Registries',
    ['manifest rm'],
    'Remove local manifest lists, but not their images',
    () => import('./verbs/manifest-rm.ts'),
  ),
  entry(
    'Registries',
    ['registry serve'],
    'Serve a registry from a directory',
    () => import('./verbs/registry-serve.ts'),
  ),
  entry(
    'Registries',
    ['registry user add'],
    'Add a user to a registry on this machine',
    () => import('./verbs/registry-user-add.ts'),
  ),
  entry(
    'Registries',
    ['registry user ls'],
    'List the users of a registry and their rights',
    () => import('./verbs/registry-user-ls.ts'),
  ),
  entry(
    'Registries',
    ['registry user rm'],
    'Remove users from a registry; their images stay',
    () => import('./verbs/registry-user-rm.ts'),
  ),
  entry(
    'Registries',
    ['registry user passwd'],
    'Change the password of a registry user',
    () => import('./verbs/registry-user-passwd.ts'),
  ),
  entry(
    'Registries',
    ['registry grant'],
    'Give a user rights on repositories of a registry',
    () => import('./verbs/registry-grant.ts'),
  ),
  entry(
    'Registries',
    ['registry revoke'],
    'Revoke rights that registry grant gave',
    () => import('./verbs/registry-revoke.ts'),
  ),
  entry(
    'Registries',
    ['registry gc'],
    'Remove unreferenced content from a registry, even while it is served',
    () => import('./verbs/registry-gc.ts'),
  ),
  entry(
    'System',
    ['inspect'],
    'Show details of containers, images, networks or volumes as JSON',
    () => import('./verbs/inspect.ts'),
  ),
  entry('System', ['system df'], 'Show disk usage of the store', () => import('./verbs/system-df.ts')),
  entry(
    'System',
    ['system check'],
    'Verify the content of the store against its digests',
    () => import('./verbs/system-check.ts'),
  ),
  entry(
    'System',
    ['system start'],
    'Start the containers whose restart policy asks for it after a boot',
    () => import('./verbs/system-start.ts'),
  ),
  entry(
    'System',
    ['system stop'],
    'Stop all containers before a shutdown; those with a restart policy come back after it',
    () => import('./verbs/system-stop.ts'),
  ),
  entry(
    'System',
    ['system prune'],
    'Remove stopped containers, unused images, networks and build cache, and leftovers of crashed commands',
    () => import('./verbs/system-prune.ts'),
  ),
  entry(
    'System',
    ['events', 'system events'],
    'Show what happens to containers, images, networks and volumes',
    () => import('./verbs/events.ts'),
  ),
  entry(
    'System',
    ['info', 'system info'],
    'Show information about this machine and its store',
    () => import('./verbs/info.ts'),
  ),
  entry(
    'System',
    ['version'],
    'Show the versions of bale and of the programs it uses',
    () => import('./verbs/version.ts'),
  ),
  entry(
    'Containers',
    ['run', 'container run'],
    'Create a container from an image and run a command in it',
    () => import('./verbs/run.ts'),
  ),
  entry(
    'Containers',
    ['create', 'container create'],
    'Create a container without starting it',
    () => import('./verbs/create.ts'),
  ),
  entry('Containers', ['start', 'container start'], 'Start stopped containers', () => import('./verbs/start.ts')),
  entry('Containers', ['stop', 'container stop'], 'Stop running containers', () => import('./verbs/stop.ts')),
  entry('Containers', ['restart', 'container restart'], 'Restart containers', () => import('./verbs/restart.ts')),
  entry(
    'Containers',
    ['kill', 'container kill'],
    'Send a signal to running containers',
    () => import('./verbs/kill.ts'),
  ),
  entry(
    'Containers',
    ['pause', 'container pause'],
    'Pause all processes of containers',
    () => import('./verbs/pause.ts'),
  ),
  entry('Containers', ['unpause', 'container unpause'], 'Resume paused containers', () => import('./verbs/unpause.ts')),
  entry(
    'Containers',
    ['wait', 'container wait'],
    'Wait until containers stop, then print their exit codes',
    () => import('./verbs/wait.ts'),
  ),
  entry(
    'Containers',
    ['rm', 'container rm'],
    'Remove containers and what they have written',
    () => import('./verbs/rm.ts'),
  ),
  entry('Containers', ['rename', 'container rename'], 'Rename a container', () => import('./verbs/rename.ts')),
  entry(
    'Containers',
    ['update', 'container update'],
    'Change limits and the restart policy of containers',
    () => import('./verbs/update.ts'),
  ),
  entry(
    'Containers',
    ['ps', 'container ls', 'container list', 'container ps'],
    'List containers',
    () => import('./verbs/ps.ts'),
  ),
  entry('Containers', ['logs', 'container logs'], 'Show the logs of a container', () => import('./verbs/logs.ts')),
  entry(
    'Containers',
    ['exec', 'container exec'],
    'Run a command in a running container',
    () => import('./verbs/exec.ts'),
  ),
  entry(
    'Containers',
    ['attach', 'container attach'],
    'Connect your terminal to a running container',
    () => import('./verbs/attach.ts'),
  ),
  entry('Containers', ['top', 'container top'], 'Show the processes of a container', () => import('./verbs/top.ts')),
  entry(
    'Containers',
    ['stats', 'container stats'],
    'Show the resource usage of running containers',
    () => import('./verbs/stats.ts'),
  ),
  entry(
    'Containers',
    ['cp', 'container cp'],
    'Copy files between a container and this machine',
    () => import('./verbs/cp.ts'),
  ),
  entry(
    'Containers',
    ['commit', 'container commit'],
    'Create an image from a container',
    () => import('./verbs/commit.ts'),
  ),
  entry(
    'Containers',
    ['diff', 'container diff'],
    'Show changes to the file system of a container',
    () => import('./verbs/diff.ts'),
  ),
  entry(
    'Containers',
    ['export', 'container export'],
    'Export the file system of a container as a tar archive',
    () => import('./verbs/export.ts'),
  ),
  entry(
    'Containers',
    ['port', 'container port'],
    'Show the published ports of a container',
    () => import('./verbs/port.ts'),
  ),
  entry(
    'Containers',
    ['container inspect'],
    'Show details of containers as JSON',
    () => import('./verbs/container-inspect.ts'),
  ),
  entry(
    'Containers',
    ['container prune'],
    'Remove all containers that do not run',
    () => import('./verbs/container-prune.ts'),
  ),
  {
    ...entry(
      'Containers',
      ['container rotate-log'],
      "Rotate a container's log when it exceeds its limit (called by what watches its size)",
      () => import('./verbs/container-rotate-log.ts'),
    ),
    internal: true,
  },
  {
    ...entry(
      'Containers',
      ['container health'],
      'Check the health of a container while it runs (called when it starts)',
      () => import('./verbs/container-health.ts'),
    ),
    internal: true,
  },
  {
    ...entry(
      'Containers',
      ['container cleanup'],
      'Clean up after a container that has stopped (called by its monitor)',
      () => import('./verbs/container-cleanup.ts'),
    ),
    internal: true,
  },
  entry('Networks and volumes', ['volume create'], 'Create a volume', () => import('./verbs/volume-create.ts')),
  entry('Networks and volumes', ['volume ls', 'volume list'], 'List volumes', () => import('./verbs/volume-ls.ts')),
  entry(
    'Networks and volumes',
    ['volume inspect'],
    'Show details of volumes as JSON',
    () => import('./verbs/volume-inspect.ts'),
  ),
  entry(
    'Networks and volumes',
    ['volume rm', 'volume remove'],
    'Remove volumes with their data',
    () => import('./verbs/volume-rm.ts'),
  ),
  entry(
    'Networks and volumes',
    ['volume prune'],
    'Remove volumes that no container mounts',
    () => import('./verbs/volume-prune.ts'),
  ),
  entry(
    'Networks and volumes',
    ['network create'],
    'Create a network whose containers find each other by name',
    () => import('./verbs/network-create.ts'),
  ),
  entry('Networks and volumes', ['network ls', 'network list'], 'List networks', () => import('./verbs/network-ls.ts')),
  entry(
    'Networks and volumes',
    ['network inspect'],
    'Show details of networks as JSON',
    () => import('./verbs/network-inspect.ts'),
  ),
  entry(
    'Networks and volumes',
    ['network rm', 'network remove'],
    'Remove networks',
    () => import('./verbs/network-rm.ts'),
  ),
  entry(
    'Networks and volumes',
    ['network connect'],
    'Put a container on one more network',
    () => import('./verbs/network-connect.ts'),
  ),
  entry(
    'Networks and volumes',
    ['network disconnect'],
    'Take a container off a network',
    () => import('./verbs/network-disconnect.ts'),
  ),
  entry(
    'Networks and volumes',
    ['network prune'],
    'Remove networks that no container uses',
    () => import('./verbs/network-prune.ts'),
  ),
]
