import { humanAgo, humanSize } from '#docker'
import type { ImageRow } from '#engine'
import type { ListFormat } from './list-format.ts'
import { goTimestamp } from './local-time.ts'

export type ImageListRow = Record<
  | 'ID'
  | 'Repository'
  | 'Tag'
  | 'Digest'
  | 'CreatedSince'
  | 'CreatedAt'
  | 'Size'
  | 'VirtualSize'
  | 'SharedSize'
  | 'UniqueSize'
  | 'Containers',
  string
>

const NONE = '<none>'

/** How `images` looks. */
export const imageList = (digests: boolean): ListFormat<ImageListRow> => ({
  headers: {
    ID: 'IMAGE ID',
    Repository: 'REPOSITORY',
    Tag: 'TAG',
    Digest: 'DIGEST',
    CreatedSince: 'CREATED',
    CreatedAt: 'CREATED AT',
    Size: 'SIZE',
    VirtualSize: 'SIZE',
    SharedSize: 'SHARED SIZE',
    UniqueSize: 'UNIQUE SIZE',
    Containers: 'CONTAINERS',
  },
  table: digests
    ? '{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}'
    : '{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}',
  raw: `repository: {{.Repository}}\ntag: {{.Tag}}\n${digests ? 'digest: {{.Digest}}\n' : ''}image_id: {{.ID}}\ncreated_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n`,
  rowType: '*formatter.imageContext',
})

/** An image under one of its names. The size that it shares with others is known only where the whole store is measured. */
export function imageRow(row: ImageRow, truncated: boolean, now: number): ImageListRow {
  return {
    ID: truncated ? row.id.slice(7, 19) : row.id,
    Repository: row.repository ?? NONE,
    Tag: row.tag ?? NONE,
    Digest: row.digest ?? NONE,
    CreatedSince: humanAgo(row.created * 1000, now),
    // By those who show it: the default list does not.
    get CreatedAt() {
      return goTimestamp(row.created * 1000)
    },
    Size: humanSize(row.size),
    get VirtualSize() {
      return humanSize(row.size, 4)
    },
    SharedSize: 'N/A',
    UniqueSize: 'N/A',
    Containers: 'N/A',
  }
}
