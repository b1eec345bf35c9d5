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
  // What is in each repository is counted by triggers, so that no statement can forget to. Changes are appended (`usage_deltas`) and
  // folded into totals now and then: pushes at once do not wait for a row that they would all change. A scope is a
  // repository, all below a name (`acme/**`), or `**`. An upload holds what it has reserved. Rules about content are policies
  // as well (`rule`: JSON); IDs of removed ones stay used. A redirect is a former name.
  `
CREATE TABLE usage_deltas (id INTEGER PRIMARY KEY, repository TEXT NOT NULL, bytes INTEGER NOT NULL, tags INTEGER NOT NULL,
  repositories INTEGER NOT NULL);
CREATE INDEX usage_deltas_repository ON usage_deltas (repository);
CREATE TABLE usage_totals (scope TEXT PRIMARY KEY, bytes INTEGER NOT NULL, tags INTEGER NOT NULL, repositories INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE quotas (scope TEXT PRIMARY KEY, bytes INTEGER, tags INTEGER, repositories INTEGER) WITHOUT ROWID;
ALTER TABLE uploads ADD COLUMN reserved INTEGER NOT NULL DEFAULT 0;
CREATE INDEX uploads_unfinished ON uploads (repository) WHERE done IS NULL;
INSERT INTO usage_deltas (repository, bytes, tags, repositories) SELECT r.name,
  (SELECT coalesce(sum(b.size), 0) FROM repo_blobs rb JOIN blobs b ON b.id = rb.blob_id WHERE rb.repo_id = r.id)
  + (SELECT coalesce(sum(length(m.body)), 0) FROM manifests m WHERE m.repo_id = r.id),
  (SELECT count(*) FROM tags t WHERE t.repo_id = r.id), 1 FROM repositories r;
CREATE TRIGGER repository_added AFTER INSERT ON repositories BEGIN
  INSERT INTO usage_deltas (repository, bytes, tags, repositories) VALUES (NEW.name, 0, 0, 1);
END;
CREATE TRIGGER repository_removed AFTER DELETE ON repositories BEGIN
  INSERT INTO usage_deltas (repository, bytes, tags, repositories) VALUES (OLD.name, 0, 0, -1);
END;
CREATE TRIGGER repo_blob_added AFTER INSERT ON repo_blobs BEGIN
  INSERT INTO usage_deltas (repository, bytes, tags, repositories)
  SELECT r.name, b.size, 0, 0 FROM repositories r, blobs b WHERE r.id = NEW.repo_id AND b.id = NEW.blob_id;
END;
CREATE TRIGGER repo_blob_removed AFTER DELETE ON repo_blobs BEGIN
  INSERT INTO usage_deltas (repository, bytes, tags, repositories)
  SELECT r.name, -b.size, 0, 0 FROM repositories r, blobs b WHERE r.id = OLD.repo_id AND b.id = OLD.blob_id;
END;
CREATE TRIGGER manifest_added AFTER INSERT ON manifests BEGIN
  INSERT INTO usage_deltas (repository, bytes, tags, repositories)
  SELECT r.name, length(NEW.body), 0, 0 FROM repositories r WHERE r.id = NEW.repo_id;
END;
CREATE TRIGGER manifest_removed AFTER DELETE ON manifests BEGIN
  INSERT INTO usage_deltas (repository, bytes, tags, repositories)
  SELECT r.name, -length(OLD.body), 0, 0 FROM repositories r WHERE r.id = OLD.repo_id;
END;
CREATE TRIGGER tag_added AFTER INSERT ON tags BEGIN
  INSERT INTO usage_deltas (repository, bytes, tags, repositories)
  SELECT r.name, 0, 1, 0 FROM repositories r WHERE r.id = NEW.repo_id;
END;
CREATE TRIGGER tag_removed AFTER DELETE ON tags BEGIN
  INSERT INTO usage_deltas (repository, bytes, tags, repositories)
  SELECT r.name, 0, -1, 0 FROM repositories r WHERE r.id = OLD.repo_id;
END;
CREATE TABLE new_tag_policies (id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('immutable', 'keep', 'types', 'base')), pattern TEXT NOT NULL, tags TEXT NOT NULL,
  excepted TEXT NOT NULL, keep_last INTEGER, keep_within INTEGER, created_at INTEGER NOT NULL, rule TEXT);
INSERT INTO new_tag_policies SELECT id, kind, pattern, tags, excepted, keep_last, keep_within, created_at, NULL FROM tag_policies;
DELETE FROM sqlite_sequence WHERE name = 'new_tag_policies';
INSERT INTO sqlite_sequence (name, seq) SELECT 'new_tag_policies', seq FROM sqlite_sequence WHERE name = 'tag_policies';
DROP TABLE tag_policies;
ALTER TABLE new_tag_policies RENAME TO tag_policies;
CREATE TABLE repository_redirects (name TEXT PRIMARY KEY, repo_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
  redirect_until INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX repository_redirects_target ON repository_redirects (repo_id);
  `,
  // What came from upstreams. Their manifests are there before their blobs, which `cached_blobs` expects: whoever brings one
  // links it. Tags know when the upstream was last asked, manifests (to the hour) when they were last pulled.
  `
CREATE TABLE cached_manifests (manifest_id INTEGER PRIMARY KEY REFERENCES manifests (id) ON DELETE CASCADE, pulled_at INTEGER NOT NULL);
CREATE INDEX cached_manifests_pulled ON cached_manifests (pulled_at);
CREATE TABLE cached_blobs (manifest_id INTEGER NOT NULL REFERENCES manifests (id) ON DELETE CASCADE, digest TEXT NOT NULL,
  size INTEGER NOT NULL, PRIMARY KEY (manifest_id, digest)) WITHOUT ROWID;
CREATE INDEX cached_blobs_digest ON cached_blobs (digest);
CREATE TABLE cached_tags (repo_id INTEGER NOT NULL, name TEXT NOT NULL, checked_at INTEGER NOT NULL, PRIMARY KEY (repo_id, name),
  FOREIGN KEY (repo_id, name) REFERENCES tags (repo_id, name) ON DELETE CASCADE) WITHOUT ROWID;
  `,
  // Hooks, whose secrets are sealed, and what they are told. Whoever delivers has a token, and it is due again when the lease of that is over.
  `
CREATE TABLE hooks (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, url TEXT NOT NULL, pattern TEXT NOT NULL, events TEXT NOT NULL,
  secret TEXT NOT NULL, active INTEGER NOT NULL, created_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE hook_deliveries (id INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL,
  hook_id TEXT NOT NULL REFERENCES hooks (id) ON DELETE CASCADE, action TEXT NOT NULL, target TEXT NOT NULL, data TEXT NOT NULL,
  at INTEGER NOT NULL, state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'dead')), attempts INTEGER NOT NULL,
  due_at INTEGER NOT NULL, queued_at INTEGER NOT NULL, token TEXT, last_at INTEGER, status INTEGER, failure TEXT, answer TEXT);
CREATE INDEX hook_deliveries_due ON hook_deliveries (hook_id, due_at) WHERE state = 'pending';
CREATE INDEX hook_deliveries_hook ON hook_deliveries (hook_id, id);
CREATE INDEX hook_deliveries_ended ON hook_deliveries (last_at) WHERE state <> 'pending';
  `,
  // Accounts of a directory have an origin and, where it tells one, what the directory knows them by. Refresh tokens are kept as
  // SHA-256, with the generation of the account that they were issued for.
  `
ALTER TABLE users ADD COLUMN origin TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN subject TEXT;
CREATE TABLE refresh_tokens (hash TEXT PRIMARY KEY, user_name TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
  generation INTEGER NOT NULL, access_token TEXT REFERENCES access_tokens (id) ON DELETE CASCADE, client TEXT NOT NULL,
  created_at INTEGER NOT NULL, used_at INTEGER, expires_at INTEGER) WITHOUT ROWID;
CREATE INDEX refresh_tokens_user ON refresh_tokens (user_name);
CREATE INDEX refresh_tokens_access ON refresh_tokens (access_token) WHERE access_token IS NOT NULL;
  `,
  // Requests that processes count together, by parts of the time.
  `
CREATE TABLE request_counts (name TEXT NOT NULL, part INTEGER NOT NULL, count INTEGER NOT NULL, expires_at INTEGER NOT NULL,
  PRIMARY KEY (name, part)) WITHOUT ROWID;
CREATE INDEX request_counts_expiry ON request_counts (expires_at);
  `,
  // The certificate of an authority, what became of the tries to get one, and answers to the authority; sealed.
  `
CREATE TABLE acme_texts (name TEXT PRIMARY KEY, text TEXT NOT NULL, expires_at INTEGER) WITHOUT ROWID;
  `,
  // What was done to a target is found by its name.
  `
CREATE INDEX audit_target ON audit (target, id);
`,
  // Sessions of people in browsers, and programs that wait for somebody to let them in. Secrets and codes are kept as SHA-256. People of a
  // directory or provider are found by what that knows them by.
  `
CREATE TABLE sessions (hash TEXT PRIMARY KEY, user_name TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
  generation INTEGER NOT NULL, created_at INTEGER NOT NULL, used_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX sessions_user ON sessions (user_name);
CREATE INDEX sessions_expiry ON sessions (expires_at);
CREATE TABLE device_logins (hash TEXT PRIMARY KEY, user_hash TEXT NOT NULL UNIQUE, client TEXT NOT NULL, address TEXT NOT NULL,
  network TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, polled_at INTEGER, poll_every INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'allowed', 'denied')),
  user_name TEXT REFERENCES users (name) ON DELETE CASCADE, generation INTEGER) WITHOUT ROWID;
CREATE INDEX device_logins_expiry ON device_logins (expires_at);
CREATE INDEX device_logins_network ON device_logins (network);
CREATE INDEX device_logins_user ON device_logins (user_name) WHERE user_name IS NOT NULL;
CREATE INDEX users_subject ON users (origin, subject) WHERE subject IS NOT NULL;
`,
  // Rules of replication, as the configuration has them; lists are JSON, and 0 is no time. One task for each tag of a rule (or
  // digest, or '' for all of them): it waits, or tells what became of it. Whoever does it has a token.
  `
CREATE TABLE replication_rules (name TEXT PRIMARY KEY, direction TEXT NOT NULL CHECK (direction IN ('push', 'pull')),
  repositories TEXT NOT NULL, excepted TEXT NOT NULL, tags TEXT NOT NULL, on_push INTEGER NOT NULL, every INTEGER NOT NULL,
  scan_at INTEGER NOT NULL, referrers INTEGER NOT NULL, deletes INTEGER NOT NULL, rests INTEGER NOT NULL,
  rests_until INTEGER NOT NULL, failure TEXT) WITHOUT ROWID;
CREATE TABLE replication_tasks (id INTEGER PRIMARY KEY AUTOINCREMENT,
  rule TEXT NOT NULL REFERENCES replication_rules (name) ON DELETE CASCADE, repository TEXT NOT NULL, reference TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'failed')), due_at INTEGER NOT NULL, queued_at INTEGER NOT NULL,
  tries INTEGER NOT NULL, again INTEGER NOT NULL, token TEXT, last_at INTEGER, digest TEXT, bytes INTEGER NOT NULL,
  blobs INTEGER NOT NULL, failure TEXT, UNIQUE (rule, repository, reference));
CREATE INDEX replication_tasks_due ON replication_tasks (rule, due_at) WHERE state = 'waiting';
CREATE INDEX replication_tasks_taken ON replication_tasks (rule, repository) WHERE token IS NOT NULL;
CREATE INDEX replication_tasks_failed ON replication_tasks (rule) WHERE state = 'failed';
  `,
  // Rules are found by what is before the first slash of the names they are about; a star for those about any.
  `
ALTER TABLE public_patterns ADD COLUMN first TEXT NOT NULL DEFAULT '*';
ALTER TABLE tag_policies ADD COLUMN first TEXT NOT NULL DEFAULT '*';
UPDATE public_patterns SET first = substr(pattern || '/', 1, instr(pattern || '/', '/') - 1);
UPDATE public_patterns SET first = '*' WHERE instr(first, '*') > 0;
UPDATE tag_policies SET first = substr(pattern || '/', 1, instr(pattern || '/', '/') - 1);
UPDATE tag_policies SET first = '*' WHERE instr(first, '*') > 0;
CREATE INDEX public_patterns_first ON public_patterns (first);
CREATE INDEX tag_policies_first ON tag_policies (first);
  `,
  // What is inside images, by digest: triggers queue what comes and forget what went, so that no statement can forget to. `later` was
  // there before, and comes after what is new; `none` is no image. `looked_by` is the analyser that looked last, `inventory_id`
  // another number for another inventory, and `advisories` what that was matched with last ('': with none).
  // An older inventory stays as long as the result is of that.
  // Gates are policies as well. What a person said of an image stays when it goes: it may come again.
  `
CREATE INDEX manifests_digest ON manifests (digest);
CREATE INDEX manifests_repo ON manifests (repo_id, id);
CREATE TABLE scans (digest TEXT PRIMARY KEY,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'later', 'scanned', 'failed', 'none')), due_at INTEGER NOT NULL,
  queued_at INTEGER NOT NULL, tries INTEGER NOT NULL, looked_by TEXT NOT NULL, token TEXT, failure TEXT, ended_at INTEGER,
  analyser TEXT, inventory_id INTEGER NOT NULL DEFAULT 0, advisories TEXT) WITHOUT ROWID;
CREATE INDEX scans_due ON scans (due_at) WHERE state = 'waiting';
CREATE INDEX scans_again ON scans (looked_by) WHERE state IN ('later', 'scanned', 'failed');
CREATE INDEX scans_failed ON scans (ended_at) WHERE state = 'failed';
CREATE INDEX scans_taken ON scans (digest) WHERE token IS NOT NULL;
CREATE INDEX scans_matched ON scans (advisories, digest) WHERE advisories IS NOT NULL;
CREATE TABLE scan_inventories (digest TEXT NOT NULL REFERENCES scans (digest) ON DELETE CASCADE, inventory_id INTEGER NOT NULL,
  at INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (digest, inventory_id));
CREATE TABLE scan_results (digest TEXT PRIMARY KEY REFERENCES scans (digest) ON DELETE CASCADE, inventory_id INTEGER NOT NULL,
  advisories TEXT NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL);
INSERT INTO scans (digest, state, due_at, queued_at, tries, looked_by) SELECT digest, 'later', now_ms(), now_ms(), 0, '' FROM manifests
  WHERE media_type IN ('application/vnd.oci.image.manifest.v1+json', 'application/vnd.docker.distribution.manifest.v2+json') GROUP BY digest;
CREATE TRIGGER manifest_queued AFTER INSERT ON manifests
WHEN NEW.media_type IN ('application/vnd.oci.image.manifest.v1+json', 'application/vnd.docker.distribution.manifest.v2+json') BEGIN
  INSERT INTO scans (digest, state, due_at, queued_at, tries, looked_by) VALUES (NEW.digest, 'waiting', now_ms(), now_ms(), 0, '')
  ON CONFLICT (digest) DO NOTHING;
END;
CREATE TRIGGER manifest_forgotten AFTER DELETE ON manifests BEGIN
  DELETE FROM scans WHERE digest = OLD.digest AND NOT EXISTS (SELECT 1 FROM manifests m WHERE m.digest = OLD.digest);
END;
CREATE TABLE known_findings (key TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE exceptions (id INTEGER PRIMARY KEY AUTOINCREMENT, vulnerability TEXT NOT NULL, package TEXT, pattern TEXT NOT NULL,
  first TEXT NOT NULL, reason TEXT NOT NULL, author TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
  told INTEGER NOT NULL DEFAULT 0);
CREATE INDEX exceptions_first ON exceptions (first, expires_at);
CREATE INDEX exceptions_expiry ON exceptions (expires_at);
CREATE TABLE image_states (repository TEXT NOT NULL, digest TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('quarantined', 'released')),
  reason TEXT NOT NULL, author TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (repository, digest)) WITHOUT ROWID;
CREATE TABLE told_releases (manifest_id INTEGER PRIMARY KEY REFERENCES manifests (id) ON DELETE CASCADE,
  outcome TEXT NOT NULL CHECK (outcome IN ('allowed', 'blocked')), at INTEGER NOT NULL);
CREATE TABLE exempt_pulls (actor TEXT NOT NULL, digest TEXT NOT NULL, repository TEXT NOT NULL, expires_at INTEGER NOT NULL,
  PRIMARY KEY (actor, digest, repository)) WITHOUT ROWID;
CREATE INDEX exempt_pulls_expiry ON exempt_pulls (expires_at);
CREATE TABLE gate_generation (id INTEGER PRIMARY KEY CHECK (id = 1), number INTEGER NOT NULL);
INSERT INTO gate_generation (id, number) VALUES (1, 1);
CREATE TABLE new_tag_policies (id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('immutable', 'keep', 'types', 'base', 'gate')), pattern TEXT NOT NULL, tags TEXT NOT NULL,
  excepted TEXT NOT NULL, keep_last INTEGER, keep_within INTEGER, created_at INTEGER NOT NULL, rule TEXT, first TEXT NOT NULL DEFAULT '*');
INSERT INTO new_tag_policies SELECT id, kind, pattern, tags, excepted, keep_last, keep_within, created_at, rule, first FROM tag_policies;
DELETE FROM sqlite_sequence WHERE name = 'new_tag_policies';
INSERT INTO sqlite_sequence (name, seq) SELECT 'new_tag_policies', seq FROM sqlite_sequence WHERE name = 'tag_policies';
DROP TABLE tag_policies;
ALTER TABLE new_tag_policies RENAME TO tag_policies;
CREATE INDEX tag_policies_first ON tag_policies (first);
  `,
  // Names, and columns that nothing reads. Of what was told, only blocked images are kept.
  `
ALTER TABLE scans RENAME COLUMN looked_by TO scanned_by;
ALTER TABLE scan_inventories DROP COLUMN at;
ALTER TABLE scan_results DROP COLUMN advisories;
DELETE FROM told_releases WHERE outcome <> 'blocked';
ALTER TABLE told_releases DROP COLUMN outcome;
ALTER TABLE told_releases DROP COLUMN at;
  `,
]
