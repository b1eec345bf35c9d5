import type { Clock, Log } from '#base'
import type { FileBlobs } from '#blob'
import type { Digest } from '#spec'
import type { Database } from './database.ts'
import type { LayerFormatReference } from './layer-format.ts'
import type { LayerWorkers } from './layer-workers.ts'
import type { Layout } from './layout.ts'
import type { Session } from './leases.ts'

/** What the parts of one open store share. */
export interface Core {
  readonly database: Database
  readonly layout: Layout
  readonly blobs: FileBlobs
  readonly session: Session
  readonly workers: LayerWorkers
  /** The first is used for new layers. */
  readonly formats: readonly [LayerFormatReference, ...LayerFormatReference[]]
  readonly releaseLayer: (diffId: Digest) => Promise<void>
  readonly clock: Clock
  readonly log: Log
}
