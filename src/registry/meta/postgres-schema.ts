/**
 * The tables of sqlite-schema.ts in PostgreSQL. Step n makes version n + 1 out of version n; all replicas of a registry may
 * start at once. Text compares by bytes, whatever the database's language.
 */
export const POSTGRES_MIGRATIONS: readonly string[] = [
  `
CREATE FUNCTION now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS
  'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint';

CREATE TABLE repositories (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text COLLATE "C" NOT NULL UNIQUE,
  created_at bigint NOT NULL);

CREATE TABLE blobs (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, size bigint NOT NULL,
  state text COLLATE "C" NOT NULL CHECK (state IN ('active', 'condemned')), storage_key text COLLATE "C" NOT NULL UNIQUE,
  created_at bigint NOT NULL, lost integer NOT NULL DEFAULT 0);
CREATE TABLE blob_digests (digest text COLLATE "C" PRIMARY KEY, blob_id bigint NOT NULL REFERENCES blobs (id));
CREATE INDEX blob_digests_blob ON blob_digests (blob_id);
CREATE TABLE repo_blobs (repo_id bigint NOT NULL REFERENCES repositories (id), blob_id bigint NOT NULL REFERENCES blobs (id),
  lease_until bigint NOT NULL, PRIMARY KEY (repo_id, blob_id));
CREATE INDEX repo_blobs_blob ON repo_blobs (blob_id);

CREATE TABLE manifests (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, repo_id bigint NOT NULL REFERENCES repositories (id),
  digest text COLLATE "C" NOT NULL, media_type text COLLATE "C" NOT NULL, artifact_type text COLLATE "C",
  subject_digest text COLLATE "C", descriptor text COLLATE "C" NOT NULL, body bytea NOT NULL, pushed_at bigint NOT NULL,
  UNIQUE (repo_id, digest));
CREATE INDEX manifests_subject ON manifests (repo_id, subject_digest, digest) WHERE subject_digest IS NOT NULL;
CREATE TABLE manifest_blobs (manifest_id bigint NOT NULL REFERENCES manifests (id) ON DELETE CASCADE,
  blob_id bigint NOT NULL REFERENCES blobs (id), PRIMARY KEY (manifest_id, blob_id));
CREATE INDEX manifest_blobs_blob ON manifest_blobs (blob_id);
CREATE TABLE manifest_children (parent_id bigint NOT NULL REFERENCES manifests (id) ON DELETE CASCADE,
  child_digest text COLLATE "C" NOT NULL, PRIMARY KEY (parent_id, child_digest));
CREATE INDEX manifest_children_child ON manifest_children (child_digest);

CREATE TABLE tags (repo_id bigint NOT NULL REFERENCES repositories (id), name text COLLATE "C" NOT NULL,
  manifest_id bigint NOT NULL REFERENCES manifests (id) ON DELETE CASCADE, version bigint NOT NULL,
  updated_at bigint NOT NULL, updated_by text COLLATE "C" NOT NULL, PRIMARY KEY (repo_id, name));
CREATE INDEX tags_manifest ON tags (manifest_id);
CREATE TABLE tag_history (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, repo_id bigint NOT NULL,
  name text COLLATE "C" NOT NULL, digest text COLLATE "C", at bigint NOT NULL, actor text COLLATE "C" NOT NULL);

CREATE TABLE uploads (id text COLLATE "C" PRIMARY KEY, repository text COLLATE "C" NOT NULL,
  principal text COLLATE "C" NOT NULL, algorithm text COLLATE "C" NOT NULL, storage_key text COLLATE "C" NOT NULL,
  "offset" bigint NOT NULL, digest text COLLATE "C", done text COLLATE "C", lock_token text COLLATE "C",
  lock_until bigint NOT NULL, expires_at bigint NOT NULL, moved_at bigint NOT NULL, state text COLLATE "C");
CREATE INDEX uploads_expiry ON uploads (expires_at);

CREATE TABLE gc_queue (kind text COLLATE "C" NOT NULL CHECK (kind IN ('blob', 'object')), key text COLLATE "C" NOT NULL,
  review_after bigint NOT NULL, state text COLLATE "C", PRIMARY KEY (kind, key));
CREATE INDEX gc_queue_due ON gc_queue (kind, review_after);
CREATE TABLE holds (id text COLLATE "C" PRIMARY KEY, hold_until bigint NOT NULL);

CREATE TABLE users (name text COLLATE "C" PRIMARY KEY, password_hash text COLLATE "C" NOT NULL, admin integer NOT NULL,
  created_at bigint NOT NULL, id text COLLATE "C" NOT NULL UNIQUE, generation bigint NOT NULL DEFAULT 1);
CREATE TABLE grants (user_name text COLLATE "C" NOT NULL REFERENCES users (name) ON DELETE CASCADE,
  pattern text COLLATE "C" NOT NULL, role text COLLATE "C" NOT NULL CHECK (role IN ('read', 'write', 'admin')),
  PRIMARY KEY (user_name, pattern));
CREATE TABLE signing_keys (id text COLLATE "C" PRIMARY KEY, private_key text COLLATE "C" NOT NULL, created_at bigint NOT NULL);

CREATE TABLE attempts (key text COLLATE "C" PRIMARY KEY, tries text COLLATE "C" NOT NULL, expires_at bigint NOT NULL);
CREATE INDEX attempts_expiry ON attempts (expires_at);
CREATE TABLE turns (name text COLLATE "C" PRIMARY KEY, holder text COLLATE "C" NOT NULL, turn_until bigint NOT NULL);
`,
  `
ALTER TABLE users ADD COLUMN kind text COLLATE "C" NOT NULL DEFAULT 'user'
  CHECK (kind IN ('user', 'organisation', 'team', 'robot'));
ALTER TABLE grants DROP CONSTRAINT grants_role_check;
ALTER TABLE grants ADD CHECK (role IN ('read', 'write', 'delete', 'admin'));
CREATE INDEX grants_pattern ON grants (pattern);
CREATE TABLE members (group_name text COLLATE "C" NOT NULL REFERENCES users (name) ON DELETE CASCADE,
  member_name text COLLATE "C" NOT NULL REFERENCES users (name) ON DELETE CASCADE,
  role text COLLATE "C" NOT NULL CHECK (role IN ('owner', 'member')), PRIMARY KEY (member_name, group_name));
CREATE INDEX members_group ON members (group_name);
CREATE TABLE access_tokens (id text COLLATE "C" PRIMARY KEY,
  user_name text COLLATE "C" NOT NULL REFERENCES users (name) ON DELETE CASCADE, label text COLLATE "C" NOT NULL,
  hash text COLLATE "C" NOT NULL UNIQUE, role text COLLATE "C" NOT NULL, pattern text COLLATE "C" NOT NULL,
  created_at bigint NOT NULL, expires_at bigint, used_at bigint, UNIQUE (user_name, label));
CREATE TABLE public_patterns (pattern text COLLATE "C" PRIMARY KEY);
CREATE TABLE audit (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at bigint NOT NULL, actor text COLLATE "C" NOT NULL,
  address text COLLATE "C", action text COLLATE "C" NOT NULL, target text COLLATE "C" NOT NULL,
  outcome text COLLATE "C" NOT NULL CHECK (outcome IN ('done', 'refused')), detail text COLLATE "C");
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_actor ON audit (actor, id);
`,
  // Rules about tags, and what their histories are asked for.
  `
CREATE TABLE tag_policies (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text COLLATE "C" NOT NULL CHECK (kind IN ('immutable', 'keep')), pattern text COLLATE "C" NOT NULL,
  tags text COLLATE "C" NOT NULL, excepted text COLLATE "C" NOT NULL, keep_last bigint, keep_within bigint,
  created_at bigint NOT NULL);
ALTER TABLE tags ADD COLUMN pushed_at bigint NOT NULL DEFAULT 0;
UPDATE tags SET pushed_at = updated_at;
DELETE FROM tag_history WHERE NOT EXISTS (SELECT 1 FROM repositories r WHERE r.id = tag_history.repo_id);
CREATE INDEX tag_history_tag ON tag_history (repo_id, name, id);
CREATE INDEX tag_history_digest ON tag_history (repo_id, digest) WHERE digest IS NOT NULL;
`,
  // What is in each repository is counted by triggers; see there. A statement ends where a line ends
  // with a semicolon: none does within a function. Counting a
  // large registry takes its time.
  `
SET LOCAL statement_timeout TO 0;
CREATE TABLE usage_deltas (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, repository text COLLATE "C" NOT NULL,
  bytes bigint NOT NULL, tags bigint NOT NULL, repositories bigint NOT NULL);
CREATE INDEX usage_deltas_repository ON usage_deltas (repository);
CREATE TABLE usage_totals (scope text COLLATE "C" PRIMARY KEY, bytes bigint NOT NULL, tags bigint NOT NULL, repositories bigint NOT NULL);
CREATE TABLE quotas (scope text COLLATE "C" PRIMARY KEY, bytes bigint, tags bigint, repositories bigint);
ALTER TABLE uploads ADD COLUMN reserved bigint NOT NULL DEFAULT 0;
CREATE INDEX uploads_unfinished ON uploads (repository) WHERE done IS NULL;
LOCK TABLE repositories, repo_blobs, manifests, tags IN SHARE ROW EXCLUSIVE MODE;
INSERT INTO usage_deltas (repository, bytes, tags, repositories) SELECT r.name,
  (SELECT coalesce(sum(b.size), 0) FROM repo_blobs rb JOIN blobs b ON b.id = rb.blob_id WHERE rb.repo_id = r.id)
  + (SELECT coalesce(sum(length(m.body)), 0) FROM manifests m WHERE m.repo_id = r.id),
  (SELECT count(*) FROM tags t WHERE t.repo_id = r.id), 1 FROM repositories r;
CREATE FUNCTION count_repository() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE sign integer := 1; BEGIN
  IF TG_OP = 'DELETE' THEN sign := -1; NEW := OLD; END IF; INSERT INTO usage_deltas
  (repository, bytes, tags, repositories) VALUES (NEW.name, 0, 0, sign); RETURN NULL; END $$;
CREATE FUNCTION count_repo_blob() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE sign integer := 1; BEGIN
  IF TG_OP = 'DELETE' THEN sign := -1; NEW := OLD; END IF; INSERT INTO usage_deltas
  (repository, bytes, tags, repositories)
  SELECT r.name, sign * b.size, 0, 0 FROM repositories r, blobs b WHERE r.id = NEW.repo_id AND b.id = NEW.blob_id; RETURN NULL; END $$;
CREATE FUNCTION count_manifest() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE sign integer := 1; BEGIN
  IF TG_OP = 'DELETE' THEN sign := -1; NEW := OLD; END IF; INSERT INTO usage_deltas
  (repository, bytes, tags, repositories)
  SELECT r.name, sign * length(NEW.body), 0, 0 FROM repositories r WHERE r.id = NEW.repo_id; RETURN NULL; END $$;
CREATE FUNCTION count_tag() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE sign integer := 1; BEGIN
  IF TG_OP = 'DELETE' THEN sign := -1; NEW := OLD; END IF; INSERT INTO usage_deltas
  (repository, bytes, tags, repositories)
  SELECT r.name, 0, sign, 0 FROM repositories r WHERE r.id = NEW.repo_id; RETURN NULL; END $$;
CREATE TRIGGER counted AFTER INSERT OR DELETE ON repositories FOR EACH ROW EXECUTE FUNCTION count_repository();
CREATE TRIGGER counted AFTER INSERT OR DELETE ON repo_blobs FOR EACH ROW EXECUTE FUNCTION count_repo_blob();
CREATE TRIGGER counted AFTER INSERT OR DELETE ON manifests FOR EACH ROW EXECUTE FUNCTION count_manifest();
CREATE TRIGGER counted AFTER INSERT OR DELETE ON tags FOR EACH ROW EXECUTE FUNCTION count_tag();
ALTER TABLE tag_policies ADD COLUMN rule text COLLATE "C";
ALTER TABLE tag_policies DROP CONSTRAINT tag_policies_kind_check;
ALTER TABLE tag_policies ADD CHECK (kind IN ('immutable', 'keep', 'types', 'base'));
CREATE TABLE repository_redirects (name text COLLATE "C" PRIMARY KEY,
  repo_id bigint NOT NULL REFERENCES repositories (id) ON DELETE CASCADE, redirect_until bigint NOT NULL);
CREATE INDEX repository_redirects_target ON repository_redirects (repo_id);
  `,
  // What came from upstreams.
  `
CREATE TABLE cached_manifests (manifest_id bigint PRIMARY KEY REFERENCES manifests (id) ON DELETE CASCADE, pulled_at bigint NOT NULL);
CREATE INDEX cached_manifests_pulled ON cached_manifests (pulled_at);
CREATE TABLE cached_blobs (manifest_id bigint NOT NULL REFERENCES manifests (id) ON DELETE CASCADE,
  digest text COLLATE "C" NOT NULL, size bigint NOT NULL, PRIMARY KEY (manifest_id, digest));
CREATE INDEX cached_blobs_digest ON cached_blobs (digest);
CREATE TABLE cached_tags (repo_id bigint NOT NULL, name text COLLATE "C" NOT NULL, checked_at bigint NOT NULL,
  PRIMARY KEY (repo_id, name), FOREIGN KEY (repo_id, name) REFERENCES tags (repo_id, name) ON DELETE CASCADE);
  `,
  // Hooks and what they are told.
  `
CREATE TABLE hooks (id text COLLATE "C" PRIMARY KEY, name text COLLATE "C" NOT NULL UNIQUE, url text COLLATE "C" NOT NULL,
  pattern text COLLATE "C" NOT NULL, events text COLLATE "C" NOT NULL, secret text COLLATE "C" NOT NULL, active integer NOT NULL,
  created_at bigint NOT NULL);
CREATE TABLE hook_deliveries (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_id text COLLATE "C" NOT NULL,
  hook_id text COLLATE "C" NOT NULL REFERENCES hooks (id) ON DELETE CASCADE, action text COLLATE "C" NOT NULL,
  target text COLLATE "C" NOT NULL, data text COLLATE "C" NOT NULL, at bigint NOT NULL,
  state text COLLATE "C" NOT NULL CHECK (state IN ('pending', 'delivered', 'dead')), attempts integer NOT NULL,
  due_at bigint NOT NULL, queued_at bigint NOT NULL, token text COLLATE "C", last_at bigint, status integer,
  failure text COLLATE "C", answer text COLLATE "C");
CREATE INDEX hook_deliveries_due ON hook_deliveries (hook_id, due_at) WHERE state = 'pending';
CREATE INDEX hook_deliveries_hook ON hook_deliveries (hook_id, id);
CREATE INDEX hook_deliveries_ended ON hook_deliveries (last_at) WHERE state <> 'pending';
  `,
  // Accounts of a directory, and refresh tokens.
  `
ALTER TABLE users ADD COLUMN origin text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN subject text COLLATE "C";
CREATE TABLE refresh_tokens (hash text COLLATE "C" PRIMARY KEY,
  user_name text COLLATE "C" NOT NULL REFERENCES users (name) ON DELETE CASCADE, generation bigint NOT NULL,
  access_token text COLLATE "C" REFERENCES access_tokens (id) ON DELETE CASCADE, client text COLLATE "C" NOT NULL,
  created_at bigint NOT NULL, used_at bigint, expires_at bigint);
CREATE INDEX refresh_tokens_user ON refresh_tokens (user_name);
CREATE INDEX refresh_tokens_access ON refresh_tokens (access_token) WHERE access_token IS NOT NULL;
  `,
  // Requests that processes count together. A power cut may lose them.
  `
CREATE UNLOGGED TABLE request_counts (name text COLLATE "C" NOT NULL, part bigint NOT NULL, count bigint NOT NULL,
  expires_at bigint NOT NULL, PRIMARY KEY (name, part));
CREATE INDEX request_counts_expiry ON request_counts (expires_at);
  `,
  // The certificate of an authority, what became of the tries to get one, and answers to the authority; sealed.
  `
CREATE TABLE acme_texts (name text COLLATE "C" PRIMARY KEY, text text COLLATE "C" NOT NULL, expires_at bigint);
  `,
  // Time stands still within a statement, so that it can be looked for in an index. What was done to a target is found by its name.
  `
CREATE OR REPLACE FUNCTION now_ms() RETURNS bigint LANGUAGE sql STABLE AS
  'SELECT (extract(epoch FROM statement_timestamp()) * 1000)::bigint';
CREATE INDEX audit_target ON audit (target, id);
`,
  // Rows may come from another database, with their IDs; those that are made here go on after them.
  `
ALTER TABLE repositories ALTER COLUMN id SET GENERATED BY DEFAULT;
ALTER TABLE blobs ALTER COLUMN id SET GENERATED BY DEFAULT;
ALTER TABLE manifests ALTER COLUMN id SET GENERATED BY DEFAULT;
ALTER TABLE tag_history ALTER COLUMN id SET GENERATED BY DEFAULT;
ALTER TABLE audit ALTER COLUMN id SET GENERATED BY DEFAULT;
ALTER TABLE tag_policies ALTER COLUMN id SET GENERATED BY DEFAULT;
ALTER TABLE hook_deliveries ALTER COLUMN id SET GENERATED BY DEFAULT;
CREATE FUNCTION continue_ids() RETURNS void LANGUAGE plpgsql AS $$ DECLARE c record; BEGIN
  FOR c IN SELECT table_name AS t, column_name AS n FROM information_schema.columns WHERE table_schema = current_schema() AND is_identity = 'YES' LOOP
  EXECUTE format('SELECT setval(pg_get_serial_sequence(%L, %L), (SELECT coalesce(max(%I), 0) + 1 FROM %I), false)', c.t, c.n, c.n, c.t); END LOOP; END $$;
`,
  // Sessions, and programs that wait to be let in.
  `
CREATE TABLE sessions (hash text COLLATE "C" PRIMARY KEY,
  user_name text COLLATE "C" NOT NULL REFERENCES users (name) ON DELETE CASCADE, generation bigint NOT NULL,
  created_at bigint NOT NULL, used_at bigint NOT NULL, expires_at bigint NOT NULL, ends_at bigint NOT NULL);
CREATE INDEX sessions_user ON sessions (user_name);
CREATE INDEX sessions_expiry ON sessions (expires_at);
CREATE TABLE device_logins (hash text COLLATE "C" PRIMARY KEY, user_hash text COLLATE "C" NOT NULL UNIQUE,
  client text COLLATE "C" NOT NULL, address text COLLATE "C" NOT NULL, network text COLLATE "C" NOT NULL,
  created_at bigint NOT NULL, expires_at bigint NOT NULL, polled_at bigint, poll_every bigint NOT NULL,
  state text COLLATE "C" NOT NULL CHECK (state IN ('pending', 'allowed', 'denied')),
  user_name text COLLATE "C" REFERENCES users (name) ON DELETE CASCADE, generation bigint);
CREATE INDEX device_logins_expiry ON device_logins (expires_at);
CREATE INDEX device_logins_network ON device_logins (network);
CREATE INDEX device_logins_user ON device_logins (user_name) WHERE user_name IS NOT NULL;
CREATE INDEX users_subject ON users (origin, subject) WHERE subject IS NOT NULL;
`,
  // Rules of replication, and a task for each tag of them.
  `
CREATE TABLE replication_rules (name text COLLATE "C" PRIMARY KEY,
  direction text COLLATE "C" NOT NULL CHECK (direction IN ('push', 'pull')), repositories text COLLATE "C" NOT NULL,
  excepted text COLLATE "C" NOT NULL, tags text COLLATE "C" NOT NULL, on_push integer NOT NULL, every bigint NOT NULL,
  scan_at bigint NOT NULL, referrers integer NOT NULL, deletes integer NOT NULL, rests integer NOT NULL,
  rests_until bigint NOT NULL, failure text COLLATE "C");
CREATE TABLE replication_tasks (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  rule text COLLATE "C" NOT NULL REFERENCES replication_rules (name) ON DELETE CASCADE,
  repository text COLLATE "C" NOT NULL, reference text COLLATE "C" NOT NULL,
  state text COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'done', 'failed')), due_at bigint NOT NULL,
  queued_at bigint NOT NULL, tries integer NOT NULL, again integer NOT NULL, token text COLLATE "C", last_at bigint,
  digest text COLLATE "C", bytes bigint NOT NULL, blobs bigint NOT NULL, failure text COLLATE "C",
  UNIQUE (rule, repository, reference));
CREATE INDEX replication_tasks_due ON replication_tasks (rule, due_at) WHERE state = 'waiting';
CREATE INDEX replication_tasks_taken ON replication_tasks (rule, repository) WHERE token IS NOT NULL;
CREATE INDEX replication_tasks_failed ON replication_tasks (rule) WHERE state = 'failed';
`,
  // Rules are found by what is before the first slash of the names they are about.
  `
ALTER TABLE public_patterns ADD COLUMN first text COLLATE "C" NOT NULL DEFAULT '*';
ALTER TABLE tag_policies ADD COLUMN first text COLLATE "C" NOT NULL DEFAULT '*';
UPDATE public_patterns SET first = split_part(pattern, '/', 1) WHERE strpos(split_part(pattern, '/', 1), '*') = 0;
UPDATE tag_policies SET first = split_part(pattern, '/', 1) WHERE strpos(split_part(pattern, '/', 1), '*') = 0;
CREATE INDEX public_patterns_first ON public_patterns (first);
CREATE INDEX tag_policies_first ON tag_policies (first);
`,
  // What is inside images, gates, and what people said of images. Who deletes a manifest waits for those who bring the same one in
  // elsewhere, and looks then: each statement of a function sees what was done before it.
  `
SET LOCAL statement_timeout TO 0;
LOCK TABLE manifests IN SHARE ROW EXCLUSIVE MODE;
CREATE INDEX manifests_digest ON manifests (digest);
CREATE INDEX manifests_repo ON manifests (repo_id, id);
CREATE TABLE scans (digest text COLLATE "C" PRIMARY KEY, state text COLLATE "C" NOT NULL
  CHECK (state IN ('waiting', 'later', 'scanned', 'failed', 'none')), due_at bigint NOT NULL, queued_at bigint NOT NULL,
  tries integer NOT NULL, looked_by text COLLATE "C" NOT NULL, token text COLLATE "C", failure text COLLATE "C", ended_at bigint,
  analyser text COLLATE "C", inventory_id bigint NOT NULL DEFAULT 0, advisories text COLLATE "C");
CREATE INDEX scans_due ON scans (due_at) WHERE state = 'waiting';
CREATE INDEX scans_again ON scans (looked_by) WHERE state IN ('later', 'scanned', 'failed');
CREATE INDEX scans_failed ON scans (ended_at) WHERE state = 'failed';
CREATE INDEX scans_taken ON scans (digest) WHERE token IS NOT NULL;
CREATE INDEX scans_matched ON scans (advisories, digest) WHERE advisories IS NOT NULL;
CREATE TABLE scan_inventories (digest text COLLATE "C" NOT NULL REFERENCES scans (digest) ON DELETE CASCADE,
  inventory_id bigint NOT NULL, at bigint NOT NULL, body bytea NOT NULL, PRIMARY KEY (digest, inventory_id));
CREATE TABLE scan_results (digest text COLLATE "C" PRIMARY KEY REFERENCES scans (digest) ON DELETE CASCADE,
  inventory_id bigint NOT NULL, advisories text COLLATE "C" NOT NULL, at bigint NOT NULL, body bytea NOT NULL);
ALTER TABLE scan_inventories ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE scan_results ALTER COLUMN body SET STORAGE EXTERNAL;
INSERT INTO scans (digest, state, due_at, queued_at, tries, looked_by) SELECT digest, 'later', now_ms(), now_ms(), 0, '' FROM manifests
  WHERE media_type IN ('application/vnd.oci.image.manifest.v1+json', 'application/vnd.docker.distribution.manifest.v2+json') GROUP BY digest;
CREATE FUNCTION queue_scan() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN LOOP
  PERFORM 1 FROM scans WHERE digest = NEW.digest FOR KEY SHARE; EXIT WHEN FOUND; INSERT INTO scans
  (digest, state, due_at, queued_at, tries, looked_by) VALUES (NEW.digest, 'waiting', now_ms(), now_ms(), 0, '')
  ON CONFLICT (digest) DO NOTHING; EXIT WHEN FOUND; END LOOP; RETURN NULL; END $$;
CREATE FUNCTION forget_scan() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  PERFORM 1 FROM scans WHERE digest = OLD.digest FOR UPDATE; DELETE FROM scans
  WHERE digest = OLD.digest AND NOT EXISTS (SELECT 1 FROM manifests m WHERE m.digest = OLD.digest); RETURN NULL; END $$;
CREATE TRIGGER queued AFTER INSERT ON manifests FOR EACH ROW
  WHEN (NEW.media_type IN ('application/vnd.oci.image.manifest.v1+json', 'application/vnd.docker.distribution.manifest.v2+json'))
  EXECUTE FUNCTION queue_scan();
CREATE TRIGGER forgotten AFTER DELETE ON manifests FOR EACH ROW EXECUTE FUNCTION forget_scan();
CREATE TABLE known_findings (key text COLLATE "C" PRIMARY KEY, at bigint NOT NULL);
CREATE TABLE exceptions (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, vulnerability text COLLATE "C" NOT NULL,
  package text COLLATE "C", pattern text COLLATE "C" NOT NULL, first text COLLATE "C" NOT NULL, reason text COLLATE "C" NOT NULL,
  author text COLLATE "C" NOT NULL, created_at bigint NOT NULL, expires_at bigint NOT NULL, told integer NOT NULL DEFAULT 0);
CREATE INDEX exceptions_first ON exceptions (first, expires_at);
CREATE INDEX exceptions_expiry ON exceptions (expires_at);
CREATE TABLE image_states (repository text COLLATE "C" NOT NULL, digest text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL CHECK (kind IN ('quarantined', 'released')), reason text COLLATE "C" NOT NULL,
  author text COLLATE "C" NOT NULL, at bigint NOT NULL, PRIMARY KEY (repository, digest));
CREATE TABLE told_releases (manifest_id bigint PRIMARY KEY REFERENCES manifests (id) ON DELETE CASCADE,
  outcome text COLLATE "C" NOT NULL CHECK (outcome IN ('allowed', 'blocked')), at bigint NOT NULL);
CREATE TABLE exempt_pulls (actor text COLLATE "C" NOT NULL, digest text COLLATE "C" NOT NULL, repository text COLLATE "C" NOT NULL,
  expires_at bigint NOT NULL, PRIMARY KEY (actor, digest, repository));
CREATE INDEX exempt_pulls_expiry ON exempt_pulls (expires_at);
CREATE TABLE gate_generation (id integer PRIMARY KEY CHECK (id = 1), number bigint NOT NULL);
INSERT INTO gate_generation (id, number) VALUES (1, 1);
ALTER TABLE tag_policies DROP CONSTRAINT tag_policies_kind_check;
ALTER TABLE tag_policies ADD CHECK (kind IN ('immutable', 'keep', 'types', 'base', 'gate'));
`,
  `
ALTER TABLE scans RENAME COLUMN looked_by TO scanned_by;
CREATE OR REPLACE FUNCTION queue_scan() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN LOOP
  PERFORM 1 FROM scans WHERE digest = NEW.digest FOR KEY SHARE; EXIT WHEN FOUND; INSERT INTO scans
  (digest, state, due_at, queued_at, tries, scanned_by) VALUES (NEW.digest, 'waiting', now_ms(), now_ms(), 0, '')
  ON CONFLICT (digest) DO NOTHING; EXIT WHEN FOUND; END LOOP; RETURN NULL; END $$;
ALTER TABLE scan_inventories DROP COLUMN at;
ALTER TABLE scan_results DROP COLUMN advisories;
DELETE FROM told_releases WHERE outcome <> 'blocked';
ALTER TABLE told_releases DROP COLUMN outcome, DROP COLUMN at;
`,
]
