import type { Verb } from './verb.ts'

/** A line of the table: enough for `bale --help` and for finding a verb without loading it. */
export interface VerbEntry {
  /** First is the verb's own name; the others are docker's aliases. */
  names: readonly [string, ...string[]]
  summary: string
  group: 'Images' | 'Containers' | 'Registries' | 'Networks and volumes' | 'System'
  load(): Promise<{ verb: Verb }>
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
    ['import', 'image import'],
    'Make an image from a tar of a root file system',
    () => import('./verbs/import.ts'),
  ),
  entry('Images', ['images', 'image ls', 'image list'], 'List images', () => import('./verbs/images.ts')),
  entry('Images', ['tag', 'image tag'], 'Give an image one more name', () => import('./verbs/tag.ts')),
  entry(
    'Images',
    ['rmi', 'image rm', 'image remove'],
    'Remove names of images, and images without a name left',
    () => import('./verbs/rmi.ts'),
  ),
  entry(
    'Images',
    ['save', 'image save'],
    'Write images to a tar archive that every loader reads',
    () => import('./verbs/save.ts'),
  ),
  entry('Images', ['load', 'image load'], 'Load images from a tar archive', () => import('./verbs/load.ts')),
  entry('Images', ['image prune'], 'Remove images that nobody uses', () => import('./verbs/image-prune.ts')),
  entry('Images', ['builder prune', 'buildx prune'], 'Remove build cache', () => import('./verbs/builder-prune.ts')),
  entry('System', ['system df'], 'Show how much disk the store uses', () => import('./verbs/system-df.ts')),
  entry(
    'System',
    ['system check'],
    'Compare everything in the store with its digests',
    () => import('./verbs/system-check.ts'),
  ),
  entry(
    'System',
    ['system prune'],
    'Remove stopped containers, unused images, networks and build cache, and what crashed commands left',
    () => import('./verbs/system-prune.ts'),
  ),
  entry('System', ['info', 'system info'], 'Show what this machine and its store are', () => import('./verbs/info.ts')),
  entry(
    'System',
    ['version'],
    'Show the versions of bale and of the programs it uses',
    () => import('./verbs/version.ts'),
  ),
]
