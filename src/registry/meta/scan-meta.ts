import type { Digest } from '#spec'
import type { StoredGate } from '../decide/index.ts'

/** What has been done about a scan; `none` of what is no image: a signature, a chart. */
type ScanState = 'waiting' | 'scanned' | 'failed' | 'none'

/** One scan of one manifest, for all repositories that have it. */
export interface ScanStatus {
  state: ScanState
  /** Why it failed last. */
  failure?: string
  /** Times in milliseconds since 1970. */
  queuedAt: number
  endedAt?: number
  /** A process is at it. */
  running: boolean
  /** The newest result; its bytes are immutable. It stays while the image is scanned again, whatever comes of that. */
  result?: ScanRecord
}

/** What was found, by one version of the analyser and of the advisories. */
interface ScanRecord {
  /** Of the inventory whose packages it is about. */
  inventoryId: number
  at: number
  /** Text of a scan's result. */
  bytes: Uint8Array
}

/** A scan that a process has taken, and that no other one takes until its lease is over. */
export interface TakenScan {
  digest: Digest
  token: string
  /** From 1. */
  tries: number
  /** A repository that has it, whose blobs are to be read. */
  repository: string
  manifest: { mediaType: string; bytes: Uint8Array }
}

/** How it ended. */
export type ScanEnd =
  | { outcome: 'scanned'; analyser: string; inventory: Uint8Array }
  /** It is no image: nothing is kept of it, and it is not tried again. */
  | { outcome: 'no image' }
  | { outcome: 'again'; failure: string; pause: number }
  | { outcome: 'failed'; failure: string }

/** An inventory without a result by the advisories of now. */
export interface Unmatched {
  digest: Digest
  /** Another one for another inventory of the same image. */
  inventoryId: number
  inventory: Uint8Array
}

/**
 * What is known of what is inside images, by digest. A manifest that comes into any repository is queued by the database itself,
 * once, and what is known of it goes when the last manifest with its digest does.
 */
export interface ScanMeta {
  /**
   * The one that waits longest; those that an older analyser scanned (or none, before anything was queued) are due when no other
   * is. Versions of analysers are numbers, so that of two processes at an upgrade neither undoes what the other did.
   */
  takeScan(options: { lease: number; analyser: string }): Promise<TakenScan | undefined>
  /** False when the lease was lost. */
  keepScan(taken: TakenScan, lease: number): Promise<boolean>
  /** False when the lease was lost: nothing is kept then. */
  endScan(taken: TakenScan, end: ScanEnd): Promise<boolean>
  /** Gives it back: that does not count as a try. */
  releaseScan(taken: TakenScan): Promise<void>
  /** Scans of processes that were killed can be taken at once. */
  freeScans(): Promise<void>
  /** Queues a manifest of a repository, or those of its index, again. Returns how many; 0 when it is not there. */
  queueScan(repository: string, digest: Digest): Promise<number>
  /**
   * In byte order of their digests, or that of one image. Versions of advisories sort by bytes: what was matched with later ones is
   * not listed.
   */
  listUnmatched(advisories: string, which: { last?: string; limit: number } | { digest: Digest }): Promise<Unmatched[]>
  /**
   * Keeps results; one by these or later advisories that is there already stays as it is, and one of an inventory that is not the newest
   * is not kept. Older results of the same images go.
   */
  putResults(
    results: readonly (Omit<Unmatched, 'inventory'> & { advisories: string; bytes: Uint8Array })[],
  ): Promise<void>
  /** The one that a result is of, by its ID; without that, the newest. Undefined when it went meanwhile. */
  findInventory(digest: Digest, inventoryId?: number): Promise<Uint8Array | undefined>
  countScans(most: number): Promise<{ waiting: number; failed: number }>
  /** Notes that vulnerabilities are known in packages (`CVE-2024-1 deb/openssl`), where they were not known before. */
  noteFindings(keys: readonly string[]): Promise<void>
  /** Milliseconds since each of them was noted; those that never were are left out. */
  knownFor(keys: readonly string[]): Promise<Map<string, number>>
}

/** A vulnerability that does not count, for a time. */
export interface StoredException {
  id: number
  /** An id or alias. */
  vulnerability: string
  /** `deb/openssl`, type and name; undefined for all packages. */
  package?: string
  /** Of repositories. */
  pattern: string
  reason: string
  author: string
  /** Times in milliseconds since 1970. */
  createdAt: number
  expiresAt: number
}

/** What a person said of one manifest of one repository. */
export interface ImageState {
  kind: 'quarantined' | 'released'
  reason: string
  author: string
  at: number
}

/** What the database knows of a manifest that somebody wants, in one reading. */
export interface StoredReleaseFacts {
  /** The database's time. */
  now: number
  mediaType: string
  bytes: Uint8Array
  /** Of an index: those that the repository has. */
  children: Digest[]
  state?: ImageState
  scan?: ScanStatus
  exceptions: StoredException[]
}

/** What gates are judged by. */
export interface GateMeta {
  /** Another number after any change that a gate's judgement can come out differently by. */
  gateGeneration(): Promise<number>
  /** All gates, and the repositories with images that a person said something of. */
  gateRules(): Promise<{ gates: StoredGate[]; withStates: ReadonlySet<string> }>
  /** Undefined when the repository has no such manifest. */
  releaseFacts(repository: string, digest: Digest): Promise<StoredReleaseFacts | undefined>
  /** Manifests of a repository that have a blob, or expect it from an upstream; the newest first, at most `limit`. */
  manifestsOfBlob(repository: string, digest: Digest, limit: number): Promise<Digest[]>
  /** Images of repositories that a pattern matches, in the order of repository and digest. */
  gatedImages(
    patterns: readonly string[],
    page: { last?: { repository: string; digest: string }; limit: number },
  ): Promise<{ repository: string; digest: Digest }[]>
  /** Returns its ID. Milliseconds from now. */
  addException(
    exception: Omit<StoredException, 'id' | 'author' | 'createdAt' | 'expiresAt'> & { lasts: number },
  ): Promise<number>
  removeException(id: number): Promise<boolean>
  /** By their IDs; those that expired less than 30 days ago too. */
  listExceptions(): Promise<StoredException[]>
  /**
   * Of an index, its children as well. With `only`, `none` ends nothing else. `own` is the actor of an owner, who cannot end what
   * somebody else quarantined (DENIED), nor become its author. `absent` when the repository has no such manifest.
   */
  setImageState(
    repository: string,
    digest: Digest,
    state: {
      kind: ImageState['kind'] | 'none'
      reason: string
      own?: string | undefined
      only?: ImageState['kind'] | undefined
    },
  ): Promise<'changed' | 'unchanged' | 'absent'>
  /** Puts on record, and tells hooks, that the verdict on an image changed. False when it is as it was told last, `allowed` at first. */
  tellRelease(
    repository: string,
    digest: Digest,
    told: { outcome: 'allowed' | 'blocked'; detail: string },
  ): Promise<boolean>
  /** Images that were told to be blocked, in an order of their own. */
  toldBlocked(page: {
    last?: { repository: string; digest: string }
    limit: number
  }): Promise<{ repository: string; digest: Digest }[]>
  /** Puts on record that somebody pulled a blocked image, once a day for each account and image. */
  recordExemptPull(pull: {
    repository: string
    digest: Digest
    actor: string
    address?: string
    detail: string
  }): Promise<void>
  /** Exceptions that expire within so long and were not told yet are told. */
  tellExpiring(within: number): Promise<number>
}
