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
]
