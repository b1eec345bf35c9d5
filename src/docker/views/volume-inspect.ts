import { goTimeOf } from './go-time.ts'

/** docker's JSON of a volume. */
export interface VolumeInspect {
  CreatedAt: string
  Driver: 'local'
  Labels: Record<string, string>
  Mountpoint: string
  Name: string
  Options: Record<string, string>
  Scope: 'local'
}

/** What the view of a volume is made of; the store's records are such. */
interface VolumeFacts {
  name: string
  /** Milliseconds since 1970. */
  created: number
  document: { labels: Record<string, string>; options: Record<string, string> }
}

/** A volume and the directory with its data. */
export function volumeInspect(directory: string, { name, created, document }: VolumeFacts): VolumeInspect {
  return {
    CreatedAt: goTimeOf(created).replace(/\.\d+Z$/, 'Z'),
    Driver: 'local',
    Labels: document.labels,
    Mountpoint: directory,
    Name: name,
    Options: document.options,
    Scope: 'local',
  }
}
