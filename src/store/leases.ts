import type { Digest } from '#spec'

export interface LeaseOptions {
  /** For people who look: `build of web`. */
  purpose?: string
}

/** What a lease or a reference can hold: a layer by diff ID, a blob, or a document (manifest, index, config). */
export type PinKind = 'layer' | 'blob' | 'document'

/** Keeps things from being collected until it is disposed, or its process is gone. */
export interface Lease extends AsyncDisposable {
  add(kind: PinKind, digest: Digest): Promise<void>
}
