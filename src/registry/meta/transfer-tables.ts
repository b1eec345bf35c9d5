/** A table whose rows are moved from one database to another. */
export interface MovedTable {
  name: string
  /** The columns of its primary key; those with a hash sign before them are numbers. */
  key: readonly string[]
  /** What a row is, besides its key: a row where this differs is another one. */
  identity?: readonly string[]
  /** A column that may be large, and that stays as it is. */
  large?: string
  /** A column that is sealed with the registry's secret: it says nothing until it is opened. */
  sealed?: string
  /** What may change in the database that is left, although it takes no other changes. */
  free?: { events?: readonly string[]; columns?: readonly string[] }
  /** Which new rows are left out there without a word, as SQL has it: those that come along with a change that is free. */
  leftOut?: string
}

/** What the old place finds or tells after the last copy is found or told again in the new one. */
const FREE = { events: ['INSERT', 'UPDATE', 'DELETE'] }

/**
 * All tables that a move copies, those that others refer to before these. What is sealed is sealed
 * anew on its way. Leases are given anew, and when a token was used or something from an upstream was pulled last, and what was
 * refused in the last moment, may get lost. What repositories use is counted by the new database as it gets their rows.
 */
export const MOVED: readonly MovedTable[] = [
  { name: 'repositories', key: ['#id'], identity: ['name'] },
  { name: 'blobs', key: ['#id'] },
  { name: 'blob_digests', key: ['digest'] },
  { name: 'repo_blobs', key: ['#repo_id', '#blob_id'], free: { columns: ['lease_until'] } },
  { name: 'manifests', key: ['#id'], identity: ['repo_id', 'digest'], large: 'body' },
  { name: 'manifest_blobs', key: ['#manifest_id', '#blob_id'] },
  { name: 'manifest_children', key: ['#parent_id', 'child_digest'] },
  { name: 'scans', key: ['digest'], free: FREE },
  { name: 'scan_inventories', key: ['digest', '#inventory_id'], large: 'body', free: FREE },
  { name: 'scan_results', key: ['digest'], large: 'body', free: FREE },
  { name: 'told_releases', key: ['#manifest_id'], free: FREE },
  { name: 'tags', key: ['#repo_id', 'name'] },
  { name: 'tag_history', key: ['#id'] },
  { name: 'repository_redirects', key: ['name'] },
  { name: 'cached_manifests', key: ['#manifest_id'], free: { columns: ['pulled_at'] } },
  { name: 'cached_blobs', key: ['#manifest_id', 'digest'] },
  { name: 'cached_tags', key: ['#repo_id', 'name'], free: { columns: ['checked_at'] } },
  { name: 'users', key: ['name'], identity: ['id'] },
  { name: 'grants', key: ['user_name', 'pattern'] },
  { name: 'members', key: ['member_name', 'group_name'] },
  { name: 'access_tokens', key: ['id'], identity: ['hash', 'user_name', 'label'], free: { columns: ['used_at'] } },
  { name: 'refresh_tokens', key: ['hash'], identity: ['user_name', 'access_token'], free: { columns: ['used_at'] } },
  { name: 'sessions', key: ['hash'], identity: ['user_name'], free: { columns: ['used_at', 'expires_at'] } },
  { name: 'public_patterns', key: ['pattern'] },
  { name: 'audit', key: ['#id'], free: { events: ['INSERT', 'DELETE'] } },
  { name: 'tag_policies', key: ['#id'] },
  { name: 'exceptions', key: ['#id'] },
  { name: 'image_states', key: ['repository', 'digest'] },
  { name: 'known_findings', key: ['key'], free: FREE },
  { name: 'quotas', key: ['scope'] },
  { name: 'hooks', key: ['id'], identity: ['name'], sealed: 'secret' },
  {
    name: 'hook_deliveries',
    key: ['#id'],
    identity: ['event_id', 'hook_id'],
    leftOut: `NEW.action IN ('certificate.set', 'image.blocked', 'image.allowed', 'image.exempt')`,
  },
  { name: 'replication_rules', key: ['name'] },
  { name: 'replication_tasks', key: ['#id'], identity: ['rule', 'repository', 'reference'] },
  { name: 'signing_keys', key: ['id'], sealed: 'private_key' },
  { name: 'acme_texts', key: ['name'], sealed: 'text', free: FREE },
]
