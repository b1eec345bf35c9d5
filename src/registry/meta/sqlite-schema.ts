/**
 * Step n makes version n + 1 out of version n.
 *
 * Blobs exist once, whatever number of repositories shows them; `repo_blobs` is what a repository shows, and how long
 * a pusher may rely on it. A manifest's bytes are in its row. Columns of digests hold `algorithm:hex`.
 */
export const MIGRATIONS: readonly string[] = [
  `
CREATE TABLE repositories (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL);

CREATE TABLE blobs (id INTEGER PRIMARY KEY, size INTEGER NOT NULL, state TEXT NOT NULL CHECK (state IN ('active', 'condemned')),
  storage_key TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL);
CREATE TABLE blob_digests (digest TEXT PRIMARY KEY, blob_id INTEGER NOT NULL REFERENCES blobs (id)) WITHOUT ROWID;
CREATE INDEX blob_digests_blob ON blob_digests (blob_id);
CREATE TABLE repo_blobs (repo_id INTEGER NOT NULL REFERENCES repositories (id), blob_id INTEGER NOT NULL REFERENCES blobs (id),
  lease_until INTEGER NOT NULL, PRIMARY KEY (repo_id, blob_id)) WITHOUT ROWID;
CREATE INDEX repo_blobs_blob ON repo_blobs (blob_id);

CREATE TABLE manifests (id INTEGER PRIMARY KEY, repo_id INTEGER NOT NULL REFERENCES repositories (id), digest TEXT NOT NULL,
  media_type TEXT NOT NULL, artifact_type TEXT, subject_digest TEXT, descriptor TEXT NOT NULL, body BLOB NOT NULL,
  pushed_at INTEGER NOT NULL, UNIQUE (repo_id, digest));
CREATE INDEX manifests_subject ON manifests (repo_id, subject_digest, digest) WHERE subject_digest IS NOT NULL;
CREATE TABLE manifest_blobs (manifest_id INTEGER NOT NULL REFERENCES manifests (id) ON DELETE CASCADE,
  blob_id INTEGER NOT NULL REFERENCES blobs (id), PRIMARY KEY (manifest_id, blob_id)) WITHOUT ROWID;
CREATE INDEX manifest_blobs_blob ON manifest_blobs (blob_id);
CREATE TABLE manifest_children (parent_id INTEGER NOT NULL REFERENCES manifests (id) ON DELETE CASCADE, child_digest TEXT NOT NULL,
  PRIMARY KEY (parent_id, child_digest)) WITHOUT ROWID;
CREATE INDEX manifest_children_child ON manifest_children (child_digest);

CREATE TABLE tags (repo_id INTEGER NOT NULL REFERENCES repositories (id), name TEXT NOT NULL,
  manifest_id INTEGER NOT NULL REFERENCES manifests (id) ON DELETE CASCADE, version INTEGER NOT NULL,
  updated_at INTEGER NOT NULL, updated_by TEXT NOT NULL, PRIMARY KEY (repo_id, name)) WITHOUT ROWID;
CREATE INDEX tags_manifest ON tags (manifest_id);
CREATE TABLE tag_history (id INTEGER PRIMARY KEY, repo_id INTEGER NOT NULL, name TEXT NOT NULL, digest TEXT,
  at INTEGER NOT NULL, actor TEXT NOT NULL);

CREATE TABLE uploads (id TEXT PRIMARY KEY, repository TEXT NOT NULL, principal TEXT NOT NULL, algorithm TEXT NOT NULL,
  storage_key TEXT NOT NULL, offset INTEGER NOT NULL, digest TEXT, done TEXT, lock_token TEXT,
  lock_until INTEGER NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX uploads_expiry ON uploads (expires_at);

CREATE TABLE gc_queue (kind TEXT NOT NULL CHECK (kind IN ('blob', 'object')), key TEXT NOT NULL, review_after INTEGER NOT NULL,
  PRIMARY KEY (kind, key)) WITHOUT ROWID;
CREATE INDEX gc_queue_due ON gc_queue (kind, review_after);

CREATE TABLE users (name TEXT PRIMARY KEY, password_hash TEXT NOT NULL, admin INTEGER NOT NULL, created_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE grants (user_name TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE, pattern TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('read', 'write', 'admin')), PRIMARY KEY (user_name, pattern)) WITHOUT ROWID;
CREATE TABLE signing_keys (id TEXT PRIMARY KEY, private_key TEXT NOT NULL, created_at INTEGER NOT NULL) WITHOUT ROWID;
`,
  // A user is known by an ID that no later user of the same name has; the generation counts changes of the password.
  // Uploads know when they last moved. While one of the holds lasts, no object is deleted.
  // A blob is lost when its object is: it is invisible until somebody pushes it again.
  `
ALTER TABLE users ADD COLUMN id TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN generation INTEGER NOT NULL DEFAULT 1;
UPDATE users SET id = lower(hex(randomblob(16)));
CREATE UNIQUE INDEX users_id ON users (id);
ALTER TABLE uploads ADD COLUMN moved_at INTEGER NOT NULL DEFAULT 0;
UPDATE uploads SET moved_at = expires_at - 86400000;
UPDATE uploads SET principal = coalesce((SELECT 'user:' || u.id FROM users u WHERE 'user:' || u.name = principal), principal);
ALTER TABLE blobs ADD COLUMN lost INTEGER NOT NULL DEFAULT 0;
CREATE TABLE holds (id TEXT PRIMARY KEY, hold_until INTEGER NOT NULL) WITHOUT ROWID;
`,
  // What the object store notes about an unfinished object is kept as long as the object. Processes of one registry share
  // attempts at passwords (`tries`: JSON, [ID, time] each) and turns.
  `
ALTER TABLE uploads ADD COLUMN state TEXT;
ALTER TABLE gc_queue ADD COLUMN state TEXT;
CREATE TABLE attempts (key TEXT PRIMARY KEY, tries TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX attempts_expiry ON attempts (expires_at);
CREATE TABLE turns (name TEXT PRIMARY KEY, holder TEXT NOT NULL, turn_until INTEGER NOT NULL) WITHOUT ROWID;
`,
  // Users are one kind of account; others are organisations, teams and robots. Access tokens are kept as SHA-256.
  `
ALTER TABLE users ADD COLUMN kind TEXT NOT NULL DEFAULT 'user' CHECK (kind IN ('user', 'organisation', 'team', 'robot'));
CREATE TABLE new_grants (user_name TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE, pattern TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('read', 'write', 'delete', 'admin')), PRIMARY KEY (user_name, pattern)) WITHOUT ROWID;
INSERT INTO new_grants SELECT user_name, pattern, role FROM grants;
DROP TABLE grants;
ALTER TABLE new_grants RENAME TO grants;
CREATE INDEX grants_pattern ON grants (pattern);
CREATE TABLE members (group_name TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
  member_name TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE, role TEXT NOT NULL CHECK (role IN ('owner', 'member')),
  PRIMARY KEY (member_name, group_name)) WITHOUT ROWID;
CREATE INDEX members_group ON members (group_name);
CREATE TABLE access_tokens (id TEXT PRIMARY KEY, user_name TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
  label TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, role TEXT NOT NULL, pattern TEXT NOT NULL, created_at INTEGER NOT NULL,
  expires_at INTEGER, used_at INTEGER, UNIQUE (user_name, label)) WITHOUT ROWID;
CREATE TABLE public_patterns (pattern TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, actor TEXT NOT NULL, address TEXT,
  action TEXT NOT NULL, target TEXT NOT NULL, outcome TEXT NOT NULL CHECK (outcome IN ('done', 'refused')), detail TEXT);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_actor ON audit (actor, id);
`,
  // Rules about tags; `tags` and `excepted` are JSON, and an ID is never given again. A push of what a tag has already
  // changes `pushed_at` alone; 0 when an older bale made the tag meanwhile. Histories of repositories that went are removed,
  // since SQLite gives the ID of the last repository again.
  `
CREATE TABLE tag_policies (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL CHECK (kind IN ('immutable', 'keep')),
  pattern TEXT NOT NULL, tags TEXT NOT NULL, excepted TEXT NOT NULL, keep_last INTEGER, keep_within INTEGER, created_at INTEGER NOT NULL);
ALTER TABLE tags ADD COLUMN pushed_at INTEGER NOT NULL DEFAULT 0;
UPDATE tags SET pushed_at = updated_at;
DELETE FROM tag_history WHERE NOT EXISTS (SELECT 1 FROM repositories r WHERE r.id = tag_history.repo_id AND r.created_at <= tag_history.at);
CREATE INDEX tag_history_tag ON tag_history (repo_id, name, id);
CREATE INDEX tag_history_digest ON tag_history (repo_id, digest) WHERE digest IS NOT NULL;
`,
  // What was done to a target is found by its name.
  `
CREATE INDEX audit_target ON audit (target, id);
`,
]
