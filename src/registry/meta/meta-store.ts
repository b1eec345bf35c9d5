import type { Descriptor, Digest } from '#spec'
import type { AccessTokenMeta, AccountMeta, GroupMeta } from './account-meta.ts'
import type { AcmeMeta } from './acme.ts'
import type { AuditMeta, By } from './audit.ts'
import type { DeviceLoginMeta } from './device-logins.ts'
import type { DirectoryMeta } from './directory-accounts.ts'
import type { HookDeliveryMeta } from './hook-deliveries.ts'
import type { HookMeta } from './hooks.ts'
import type { PromotionMeta } from './promotion-meta.ts'
import type { QuotaMeta } from './quotas.ts'
import type { RefreshTokenMeta } from './refresh-tokens.ts'
import type { RenameMeta } from './renames.ts'
import type { ReplicationMeta } from './replication-meta.ts'
import type { RequestCountMeta } from './request-counts.ts'
import type { RetentionMeta } from './retention.ts'
import type { GateMeta, ScanMeta } from './scan-meta.ts'
import type { SessionMeta } from './sessions.ts'
import type { TagHistoryMeta } from './tag-history.ts'
import type { TagPolicyMeta } from './tag-policies.ts'
import type { TransferMeta } from './transfer.ts'
import type { UsageMeta } from './usage.ts'

/**
 * What the registry knows, the only source of truth: bytes are dumb objects under keys that rows name. Each method is
 * one transaction. Time is the database's, so that replicas with wrong clocks agree: callers give durations, in milliseconds
 * from now.
 */
export interface MetaStore
  extends ContentMeta,
    UploadMeta,
    CollectorMeta,
    AccountMeta,
    GroupMeta,
    AccessTokenMeta,
    RefreshTokenMeta,
    SessionMeta,
    DeviceLoginMeta,
    DirectoryMeta,
    AuditMeta,
    SigningKeyMeta,
    CoordinationMeta,
    RequestCountMeta,
    TagPolicyMeta,
    TagHistoryMeta,
    RetentionMeta,
    UsageMeta,
    PromotionMeta,
    RenameMeta,
    QuotaMeta,
    CachedContentMeta,
    HookMeta,
    HookDeliveryMeta,
    ReplicationMeta,
    ScanMeta,
    GateMeta,
    AcmeMeta,
    TransferMeta {
  /** The same store, whose changes are recorded as somebody's; else they are the operator's. */
  as(by: By): MetaStore
  close(): Promise<void>
}

export interface StoredBlob {
  size: number
  /** Key in the object store. */
  key: string
  /** As of a manifest. */
  gate?: number
}

interface StoredManifest {
  digest: Digest
  mediaType: string
  bytes: Uint8Array
  /** What `gateGeneration` gave at that moment. */
  gate?: number
}

export interface NewManifest extends StoredManifest {
  artifactType?: string
  subject?: Digest
  /** As the referrers API lists it: annotations and artifact type included. */
  descriptor: Descriptor
  /** What must be in the repository. `size` is checked; an optional blob (a foreign layer) may be missing. */
  blobs: { digest: Digest; size: number; optional: boolean }[]
  children: Digest[]
  tags: string[]
  actor: string
}

/** The first thing that stops a manifest from being stored. */
export type ManifestObjection = { missing: Digest } | { wrongSize: Digest; size: number }

export interface Page {
  /** Give what sorts (by bytes) after this. */
  last?: string
  /** At most so many. */
  limit: number
}

/** Repositories and what is in them. A digest is visible only in repositories that hold it. */
export interface ContentMeta {
  /**
   * With `lease`, a blob that is found stays at least so long, in the same transaction: a pusher who was told
   * "it exists" may rely on it.
   */
  findBlob(repository: string, digest: Digest, options?: { lease?: number }): Promise<StoredBlob | undefined>
  /** Names of repositories that hold the blob, at most `limit`. */
  repositoriesWith(digest: Digest, limit: number): Promise<string[]>
  /** Makes a blob of one repository visible in another; false when `from` does not hold it. QUOTA_EXCEEDED when there is no room. */
  mountBlob(repository: string, digest: Digest, options: { from: string; lease: number }): Promise<boolean>
  /** Takes a blob out of a repository. */
  unlinkBlob(repository: string, digest: Digest): Promise<'removed' | 'absent' | 'in use'>
  /** TAG_IMMUTABLE when a policy forbids that one of its tags moves, POLICY_VIOLATED when one does not admit it, QUOTA_EXCEEDED when there is no room. */
  putManifest(repository: string, manifest: NewManifest): Promise<ManifestObjection | undefined>
  findManifest(repository: string, reference: { tag: string } | { digest: Digest }): Promise<StoredManifest | undefined>
  /** What a tag points to, and who had it do so. */
  findTag(repository: string, tag: string): Promise<{ digest: Digest; actor: string } | undefined>
  /** Tags that point to the manifest go with it. TAG_IMMUTABLE when one of them, or of an index with it, must stay. */
  deleteManifest(repository: string, digest: Digest, actor: string): Promise<boolean>
  /** TAG_IMMUTABLE when a policy forbids it. */
  deleteTag(repository: string, tag: string, actor: string): Promise<boolean>
  /** Undefined when there is no such repository. */
  listTags(repository: string, page: Page): Promise<string[] | undefined>
  /** At most `limit` descriptors and (but for the first) `bytes` of their JSON; `more` when there are others. */
  listReferrers(
    repository: string,
    subject: Digest,
    page: Page & { bytes: number; artifactType?: string },
  ): Promise<{ descriptors: Descriptor[]; more: boolean }>
  /**
   * Only those that match `only` and one of the patterns `within` (with `andPublic`, or a public pattern). The cost does not depend on
   * how many others there are.
   */
  listRepositories(page: Page & { within?: readonly string[]; only?: string; andPublic?: boolean }): Promise<string[]>
  /** All blobs, in pages by their ID; lost ones too. */
  listBlobs(page: { after: number; limit: number }): Promise<ListedBlob[]>
  /** What refers to a blob. */
  manifestsWith(blobId: number): Promise<{ repository: string; manifest: Digest }[]>
  /**
   * Makes a blob whose object is gone or damaged invisible until it is pushed again (`lost`), or visible again. False
   * when it has another object by now. With `deleteAfter` the damaged object is deleted when that time has passed.
   */
  markBlob(id: number, options: { key: string; lost: boolean; deleteAfter?: number }): Promise<boolean>
  /** True for the object of a blob, of an unfinished upload, or one that waits for its deletion. */
  isObjectKnown(key: string): Promise<boolean>
}

export interface ListedBlob extends StoredBlob {
  id: number
  digest: Digest
  lost: boolean
}

export interface Upload {
  id: string
  repository: string
  /** The user who began it; invisible to others. */
  principal: string
  algorithm: 'sha256' | 'sha512'
  key: string
  /** Bytes that are stored and synced. */
  offset: number
  /** What the object store notes about them. */
  state?: string
  /** Digest of the first `offset` bytes, when known. */
  digest?: Digest
  /** Set when the upload became a blob. */
  done?: Digest
}

/** Uploads in progress. One writer at a time, fenced by its token. */
export interface UploadMeta {
  /** It is forgotten once nothing has been added for `keep`. */
  createUpload(
    upload: Pick<Upload, 'id' | 'repository' | 'principal' | 'algorithm' | 'key'>,
    keep: number,
  ): Promise<void>
  findUpload(id: string): Promise<Upload | undefined>
  /** Makes `token` the writer at `offset` for some time; false when another has it or the offset has moved. */
  lockUpload(id: string, options: { token: string; offset: number; lock: number }): Promise<boolean>
  /** Records stored bytes, and renews the lock or (0) gives it back with what was reserved. False when the lock is lost. */
  advanceUpload(
    id: string,
    options: { token: string; offset: number; state?: string; digest?: Digest; lock: number; keep: number },
  ): Promise<boolean>
  /**
   * Turns an upload into a blob of its repository, with the object `key`. `known` when another upload brought the same bytes
   * earlier: the blob has this object from now on, which was verified just now, and the old one is due after `grace`. `lost`
   * when the lock was lost. What became of it is remembered for `keep`. QUOTA_EXCEEDED when there is no room.
   */
  finishUpload(
    id: string,
    options: { token: string; digest: Digest; size: number; key: string; lease: number; keep: number; grace: number },
  ): Promise<'added' | 'known' | 'lost'>
  /**
   * Gives back the locks whose tokens begin with `holder`, all of them without it: of a process that was killed. An embedded
   * registry does so at its start.
   */
  freeUploads(holder?: string): Promise<void>
  /** Forgets an upload and queues its object for deletion. */
  cancelUpload(id: string): Promise<void>
}

/** Bytes to delete. */
interface DueObject {
  key: string
  /** Of an object that was never complete: what its store noted about it. */
  state?: string
}

/** Online collection: a queue of candidates, and transactions that check and act at once. */
export interface CollectorMeta {
  /**
   * Forgets uploads whose time is over, and unfinished ones that have not moved for `idle`. Returns how many of them were
   * not finished. Also forgets attempts, counts of requests, turns, redirects, sessions and programs that wait to be let in when their time is over.
   */
  expireUploads(idle?: number): Promise<number>
  /**
   * Removes manifests that no tag, index or subject holds, that are older than this, and that lost no tag for as long as it
   * is to be `restorable` (0). Returns how many.
   */
  removeUntagged(olderThan: number, restorable?: number): Promise<number>
  /**
   * Looks at blobs that are due. One that no manifest refers to and no lease holds leaves its repositories, and its
   * object becomes due after `grace`. Repositories with nothing left in them go, with their history; each call looks at 10,000 of them. Returns bytes and number of condemned
   * blobs.
   */
  condemnBlobs(grace: number): Promise<{ blobs: number; bytes: number }>
  /** Objects to delete, at most `limit`, those of the next `ahead` milliseconds included; none while held. */
  dueObjects(limit: number, ahead?: number): Promise<DueObject[]>
  /** To be called after the object is gone. */
  forgetObject(key: string): Promise<void>
  /** Sets or renews a hold: no object is due for so long, unless it is released before. */
  hold(id: string, duration: number): Promise<void>
  release(id: string): Promise<void>
}

/** A manifest, and what is known of its upstream. Times are milliseconds that have passed. */
export interface CachedManifest extends Omit<StoredManifest, 'gate'> {
  /** Of a tag: since its upstream said that it points here. Undefined of a tag that was set here. */
  checkedAgo?: number
  /** Since the last pull that was noted. Undefined of a manifest that was pushed here. */
  pulledAgo?: number
}

/** What came from upstreams: content like any other, but for manifests that are there before what they refer to. */
export interface CachedContentMeta {
  findCached(repository: string, reference: { tag: string } | { digest: Digest }): Promise<CachedManifest | undefined>
  /**
   * Stores a manifest whose blobs and children may come later; its tags have been checked just now. TAG_IMMUTABLE when a policy keeps one
   * of them where it is, POLICY_VIOLATED when one does not admit it, QUOTA_EXCEEDED when there is no room.
   */
  putCached(repository: string, manifest: NewManifest): Promise<ManifestObjection | undefined>
  /** Notes that the upstream was asked: the tag stays what it is. */
  confirmCachedTag(repository: string, tag: string): Promise<void>
  /** Notes a pull of a manifest. */
  notePull(repository: string, digest: Digest): Promise<void>
  /** The size that a manifest of the repository gives for a blob, which may not be there. */
  expectedSize(repository: string, digest: Digest): Promise<number | undefined>
  /** Links a blob that has come to the manifests that expect it. Without one, its lease alone keeps it. */
  linkExpected(repository: string, digest: Digest): Promise<void>
  /**
   * Removes manifests of upstreams below a name (`docker.io`) that nobody has pulled for so long, with their tags. Those
   * of an index go after it, and those that an immutable tag needs stay. Returns how many.
   */
  removeUnpulled(below: string, unpulledFor: number): Promise<number>
}

/** What the processes of a registry share without knowing each other. */
export interface CoordinationMeta {
  /** The database's time, in milliseconds since 1970. */
  now(): Promise<number>
  /**
   * Counts an attempt under each of the keys, or under none when one of them has had `limit` within `period` already. To be
   * counted before its work, so that those that come together count as well.
   */
  countAttempt(
    id: string,
    options: { limits: readonly { key: string; limit: number }[]; period: number },
  ): Promise<{ wait: number } | 'counted'>
  /** For an attempt that was right, or was not made. */
  giveBackAttempt(id: string, keys: readonly string[]): Promise<void>
  /** True when `holder` now has the turn for `duration`: it was free, expired, or already its own. */
  takeTurn(name: string, holder: string, duration: number): Promise<boolean>
  endTurn(name: string, holder: string): Promise<void>
}

/** The keys that sign tokens. */
export interface SigningKeyMeta {
  /** Newest first. */
  signingKeys(): Promise<(StoredKey & { age: number })[]>
  /** Adds a key, or replaces the text of the one with its ID. */
  putSigningKey(key: StoredKey): Promise<void>
  removeSigningKey(id: string): Promise<void>
}

interface StoredKey {
  id: string
  /** Text that only who wrote it can read. */
  privateKey: string
}
