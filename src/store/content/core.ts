import type { Lease } from '#store/leases'
import type { Rows } from '#store/rows'
import type { LayerFormatReference } from './layer-format.ts'
import type { LayerWorkers } from './layer-workers.ts'

/** One open store with what writes layers into it. */
export interface Core extends Rows {
  readonly workers: LayerWorkers
  /** The first is used for new layers. */
  readonly formats: readonly [LayerFormatReference, ...LayerFormatReference[]]
}

/** An open store at work for one operation, whose lease holds what is taken in. */
export interface Intake extends Core {
  readonly lease: Lease
}
