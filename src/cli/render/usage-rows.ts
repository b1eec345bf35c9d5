import { humanAgo, humanSize } from '#docker'
import type { ContainerRow, ImageRow, SystemUsage, VolumeInspect } from '#engine'
import { type ContainerListRow, containerList, containerRow } from './container-row.ts'
import { compileTemplate, goJson } from './go-template/index.ts'
import { type ImageListRow, imageList, imageRow } from './image-row.ts'
import { type ListFormat, renderList, sortedRow } from './list-format.ts'
import { goTimestamp } from './local-time.ts'
import { VOLUME_LIST, type VolumeListRow, volumeRow } from './volume-row.ts'

type CacheRow = Record<
  | 'ID'
  | 'Parent'
  | 'CacheType'
  | 'Description'
  | 'Size'
  | 'CreatedAt'
  | 'CreatedSince'
  | 'LastUsedAt'
  | 'LastUsedSince'
  | 'UsageCount'
  | 'InUse'
  | 'Shared',
  string
>

const CACHE: ListFormat<CacheRow> = {
  headers: {
    ID: 'CACHE ID',
    CacheType: 'CACHE TYPE',
    Size: 'SIZE',
    CreatedSince: 'CREATED',
    LastUsedSince: 'LAST USED',
    UsageCount: 'USAGE',
    Shared: 'SHARED',
  },
  table: '{{.ID}}\t{{.CacheType}}\t{{.Size}}\t{{.CreatedSince}}\t{{.LastUsedSince}}\t{{.UsageCount}}\t{{.Shared}}',
  rowType: '*formatter.buildCacheContext',
}

/** What a template of `system df -v` is over. */
type UsageRows = {
  Images: ImageListRow[]
  Containers: ContainerListRow[]
  Volumes: VolumeListRow[]
  BuildCache: CacheRow[]
}

interface UsageDetails {
  images: readonly ImageRow[]
  containers: readonly ContainerRow[]
  volumes: readonly VolumeInspect[]
  /** IDs and commands in full, as docker has them in templates. */
  whole: boolean
}

/** Every image (under its first name), container, volume and cache record with its bytes on disk. */
export function usageRows(usage: SystemUsage, details: UsageDetails): UsageRows {
  const { images, containers, volumes, whole } = details
  const now = Date.now()
  const written = new Map(usage.containers.map(({ record, size }) => [record.id, size]))
  const bytes = new Map(usage.volumes.map(({ record, size }) => [record.name, size]))
  return {
    Images: usage.images.map((one) => sortedRow(usedImage(one, images, !whole, now))),
    Containers: containers.map((row) =>
      sortedRow(Object.assign(containerRow(row, !whole, now), { Size: humanSize(written.get(row.id) ?? 0) })),
    ),
    Volumes: volumes.map((volume) => {
      const links = usage.volumeUsers.get(volume.Name)?.length ?? 0
      return sortedRow(volumeRow(volume, { links, size: bytes.get(volume.Name) ?? 0 }))
    }),
    BuildCache: usage.cache.map((one) => sortedRow(cacheRow(one, !whole, now))),
  }
}

function usedImage(
  { image, shared, unique, containers }: SystemUsage['images'][number],
  rows: readonly ImageRow[],
  truncated: boolean,
  now: number,
): ImageListRow {
  const row = rows.find(({ id }) => id === image.id) ?? { id: image.id, created: 0, size: image.size }
  return {
    ...imageRow(row, truncated, now),
    Size: humanSize(shared + unique),
    SharedSize: humanSize(shared, 4),
    UniqueSize: humanSize(unique, 4),
    Containers: String(containers),
  }
}

/** What docker counts and bale does not is shown as not available. */
function cacheRow({ record, shared }: SystemUsage['cache'][number], truncated: boolean, now: number): CacheRow {
  return {
    ID: truncated ? record.key.slice(0, 12) : record.key,
    Parent: '',
    CacheType: 'regular',
    Description: '',
    Size: humanSize(record.size),
    CreatedAt: goTimestamp(record.created),
    CreatedSince: humanAgo(record.created, now),
    LastUsedAt: goTimestamp(record.lastUsed),
    LastUsedSince: humanAgo(record.lastUsed, now),
    UsageCount: 'N/A',
    InUse: String(shared),
    Shared: String(shared),
  }
}

const IMAGES: ListFormat<ImageListRow> = {
  ...imageList(false),
  table:
    '{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}',
}
const CONTAINERS: ListFormat<ContainerListRow> = {
  ...containerList(false),
  table: '{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}',
}
const VOLUMES: ListFormat<VolumeListRow> = { ...VOLUME_LIST, table: '{{.Name}}\t{{.Links}}\t{{.Size}}' }

/** Four tables, or the template over all rows at once. */
export function renderUsage(rows: UsageRows, cacheSize: number, format: string | undefined): string {
  if (format === 'json') return `${goJson(rows)}\n`
  if (format && format !== 'table') {
    const text = format
      .replace(/^table/, '')
      .replaceAll('\\t', '\t')
      .replaceAll('\\n', '\n')
    return compileTemplate(text)(rows)
  }
  return [
    `Images space usage:\n\n${renderList(rows.Images, IMAGES)}`,
    `Containers space usage:\n\n${renderList(rows.Containers, CONTAINERS)}`,
    `Local Volumes space usage:\n\n${renderList(rows.Volumes, VOLUMES)}`,
    `Build cache usage: ${humanSize(cacheSize, 4)}\n\n${renderList(rows.BuildCache, CACHE)}`,
  ].join('\n')
}
