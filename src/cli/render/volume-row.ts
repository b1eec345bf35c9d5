import { humanSize } from '#docker'
import type { VolumeInspect } from '#engine'
import { type ListFormat, labelsText, withLabels } from './list-format.ts'

export type VolumeListRow = Record<
  'Driver' | 'Name' | 'Scope' | 'Mountpoint' | 'Labels' | 'Links' | 'Size' | 'Group' | 'Availability' | 'Status',
  string
>

/** How `volume ls` looks. */
export const VOLUME_LIST: ListFormat<VolumeListRow> = {
  headers: {
    Driver: 'DRIVER',
    Name: 'VOLUME NAME',
    Scope: 'SCOPE',
    Mountpoint: 'MOUNTPOINT',
    Labels: 'LABELS',
    Links: 'LINKS',
    Size: 'SIZE',
    Group: 'GROUP',
    Availability: 'AVAILABILITY',
    Status: 'STATUS',
  },
  table: '{{.Driver}}\t{{.Name}}',
  raw: 'name: {{.Name}}\ndriver: {{.Driver}}\n',
  rowType: '*formatter.volumeContext',
}

/**
 * A volume as a row of a list; `.Label` is its method. Users and bytes are known only where the store is measured. The last three
 * are of clusters, where docker says so for all others.
 */
export function volumeRow(volume: VolumeInspect, measured?: { links: number; size: number }): VolumeListRow {
  const row: VolumeListRow = {
    Driver: volume.Driver,
    Name: volume.Name,
    Scope: volume.Scope,
    Mountpoint: volume.Mountpoint,
    Labels: labelsText(volume.Labels),
    Links: measured ? String(measured.links) : 'N/A',
    Size: measured ? humanSize(measured.size, 4) : 'N/A',
    Group: 'N/A',
    Availability: 'N/A',
    Status: 'N/A',
  }
  return withLabels(row, volume.Labels)
}
