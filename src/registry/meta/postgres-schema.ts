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
CREATE FUNCTION continue_ids() RETURNS void LANGUAGE plpgsql AS $$ DECLARE c record; BEGIN
  FOR c IN SELECT table_name AS t, column_name AS n FROM information_schema.columns WHERE table_schema = current_schema() AND is_identity = 'YES' LOOP
  EXECUTE format('SELECT setval(pg_get_serial_sequence(%L, %L), (SELECT coalesce(max(%I), 0) + 1 FROM %I), false)', c.t, c.n, c.n, c.t); END LOOP; END $$;
`,
]
