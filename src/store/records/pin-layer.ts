import { BaleError } from '#base'
import type { Digest } from '#spec'
import { findLayer, insertPin, type Rows } from '#store/rows'

/** Keeps a layer for a record. Throws STORE_DAMAGED when the store does not have it. */
export function pinLayer(rows: Rows, owner: string, digest: Digest, now: number): void {
  if (!findLayer(rows, digest)) {
    throw new BaleError('STORE_DAMAGED', `the layer ${digest} is missing from the store`, {
      hint: 'pull or build the image again',
    })
  }
  insertPin(rows.database, owner, { kind: 'layer', digest }, now)
}
