/** Something that happened in a registry, as facts. */
export type RegistryEvent =
  | { kind: 'request-began'; method: string; route: string }
  | ({ kind: 'request-ended' } & EndedRequest)
  /** `limited`: too many attempts; `busy`: too many passwords wait to be checked. */
  | { kind: 'login-refused'; credential: 'password' | 'token'; reason: 'wrong' | 'limited' | 'busy' }
  | { kind: 'request-limited'; what: 'pulls' | 'pushes' | 'requests' }
  /** `code` is that of a BaleError, or OTHER. */
  | { kind: 'part-failed'; part: 'database' | 'objects'; code: string }
  /** `time` is in milliseconds since 1970. */
  | { kind: 'collection-ended'; outcome: 'done'; bytes: number; time: number }
  /** `elsewhere`: another process of the registry is at it. */
  | { kind: 'collection-ended'; outcome: 'failed' | 'elsewhere' }
  /** Of an upstream (its prefix); without a status when there was no answer. */
  | { kind: 'upstream-answered'; upstream: string; status: number | undefined }
  /** How many pulls an upstream says that it still allows. */
  | { kind: 'upstream-limit'; upstream: string; remaining: number }
  /**
   * `hit`: from here alone; `confirmed`: from here, after the upstream was asked; `miss`: from the upstream; `stale`: from here, since the
   * upstream could not be asked.
   */
  | {
      kind: 'cache-answered'
      upstream: string
      what: 'manifest' | 'blob'
      outcome: 'hit' | 'confirmed' | 'miss' | 'stale'
    }
  /** `failed` is tried again, `dead` is not. */
  | { kind: 'hook-attempt-ended'; outcome: 'delivered' | 'failed' | 'dead' }
  /** Of all replicas, at most 10,000. */
  | { kind: 'hook-deliveries-counted'; pending: number }
  /** A try of a task; `failed` is tried again, `given-up` is not. */
  | { kind: 'replication-ended'; rule: string; outcome: 'done' | 'failed' | 'given-up'; bytes: number }
  /** Tasks of all replicas, at most 10,000 of each kind. */
  | { kind: 'replications-counted'; waiting: number; failed: number }
  /** A try of a scan; `again` is tried again, `failed` is not. */
  | { kind: 'scan-ended'; outcome: 'scanned' | 'no-image' | 'again' | 'failed' }
  /** Scans of all replicas, at most 10,000 of each kind. */
  | { kind: 'scans-counted'; waiting: number; failed: number }
  /** Images that were matched with advisories. */
  | { kind: 'scans-matched'; count: number }
  /** A bundle of advisories that is used from now on, and when it was made: milliseconds since 1970. */
  | { kind: 'advisories-opened'; created: number }
  | { kind: 'spans-sent'; count: number }
  /** `full`: more came than could be sent; `refused` by the collector; `unreachable`: after all tries. */
  | { kind: 'spans-dropped'; count: number; reason: 'full' | 'refused' | 'unreachable' }
  /** At the start and when it is replaced; milliseconds since 1970. */
  | { kind: 'certificate-shown'; validUntil: number }

/** A request whose answer was sent, or broke off. */
export interface EndedRequest {
  /** When it came: milliseconds since 1970, by the registry's clock. */
  time: number
  /** The client's own, or a UUID; sent back as X-Request-Id. */
  id: string
  method: string
  /** Without the query, and at most 1024 characters; empty for what is no path. */
  path: string
  /** Which end point; undefined for none. */
  route: string | undefined
  /** Undefined when the connection ended before there was an answer. */
  status: number | undefined
  /** Bytes of the connection, with the head. */
  bytesIn: number
  bytesOut: number
  /** Until the last byte was handed to the system. */
  milliseconds: number
  /** The client's, as trusted proxies say. */
  address: string
  /** Undefined without a login. */
  user: string | undefined
  /** Whom a password claimed that was not right, as it was sent. */
  claimed: string | undefined
  /** The connection ended before the answer did. */
  aborted: boolean
}

/** Is told what happened. Must neither throw nor take long. */
export type Observe = (event: RegistryEvent) => void
