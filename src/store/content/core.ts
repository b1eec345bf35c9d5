import type { LayerFormats, LayerWorkers } from '#store/layer-jobs'
import type { Lease } from '#store/leases'
import type { Rows } from '#store/rows'

/** One open store with what writes layers into it. */
export interface Core extends Rows {
  readonly workers: LayerWorkers
  readonly formats: LayerFormats
}

/** An open store at work for one operation, whose lease holds what is taken in. */
export interface Intake extends Core {
  readonly lease: Lease
}
