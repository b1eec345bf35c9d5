/** Step n makes version n + 1 out of version n. A change adds a step; an older bale then refuses the store (STORE_VERSION). */
export const MIGRATIONS: readonly string[] = [
  `
  -- Manifests, indexes and image configs: small, many, read together; kept whole as bytes.
  CREATE TABLE documents (
    digest TEXT PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('manifest', 'index', 'config')),
    media_type TEXT NOT NULL, size INTEGER NOT NULL, bytes BLOB NOT NULL,
    image TEXT,              -- config digest, when a manifest is an image's
    tagged INTEGER,          -- when a name was last pointed at it
    created INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX documents_image ON documents (image) WHERE image IS NOT NULL;

  CREATE TABLE layers (
    diff_id TEXT PRIMARY KEY, format TEXT NOT NULL, tar_size INTEGER NOT NULL, disk_size INTEGER NOT NULL,
    content_size INTEGER NOT NULL, image_digest TEXT, created INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE blobs (digest TEXT PRIMARY KEY, size INTEGER NOT NULL, created INTEGER NOT NULL) STRICT;

  -- What a manifest needs: 'layer', 'blob', 'document' hold their child; 'part' (index to manifest) does not.
  CREATE TABLE edges (
    parent TEXT NOT NULL, kind TEXT NOT NULL, child TEXT NOT NULL, PRIMARY KEY (parent, kind, child)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX edges_child ON edges (kind, child);

  CREATE TABLE names (name TEXT PRIMARY KEY, digest TEXT NOT NULL, tagged INTEGER NOT NULL) STRICT;
  CREATE INDEX names_digest ON names (digest);
  CREATE TABLE repo_digests (
    repository TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (repository, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX repo_digests_digest ON repo_digests (digest);

  -- What else holds something: owner is 'container:ID', 'cache:KEY' or 'lease:ID'.
  CREATE TABLE pins (
    owner TEXT NOT NULL, kind TEXT NOT NULL, digest TEXT NOT NULL, created INTEGER NOT NULL,
    PRIMARY KEY (owner, kind, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX pins_digest ON pins (kind, digest);
  CREATE TABLE leases (
    id TEXT PRIMARY KEY, pid INTEGER NOT NULL, started TEXT NOT NULL, boot TEXT NOT NULL, namespace TEXT NOT NULL,
    purpose TEXT NOT NULL, created INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE containers (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, image TEXT, state TEXT NOT NULL, created INTEGER NOT NULL,
    document TEXT NOT NULL
  ) STRICT;
  CREATE TABLE volumes (name TEXT PRIMARY KEY, created INTEGER NOT NULL, document TEXT NOT NULL) STRICT;
  CREATE TABLE networks (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, created INTEGER NOT NULL, document TEXT NOT NULL
  ) STRICT;
  CREATE TABLE addresses (
    network TEXT NOT NULL, address TEXT NOT NULL, owner TEXT NOT NULL, PRIMARY KEY (network, address)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE ports (
    host_ip TEXT NOT NULL, protocol TEXT NOT NULL, port INTEGER NOT NULL, owner TEXT NOT NULL,
    PRIMARY KEY (host_ip, protocol, port)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE cache (
    key TEXT PRIMARY KEY, size INTEGER NOT NULL, created INTEGER NOT NULL, last_used INTEGER NOT NULL,
    document TEXT NOT NULL
  ) STRICT;
  `,
  `
  -- Pins know no order, and a tree stacked in another order is another tree. A record keeps its layers lowest first.
  ALTER TABLE containers ADD COLUMN layers TEXT NOT NULL DEFAULT '[]';
  UPDATE containers SET layers =
    (SELECT json_group_array(digest) FROM pins WHERE owner = 'container:' || containers.id AND kind = 'layer');
  ALTER TABLE cache ADD COLUMN layers TEXT NOT NULL DEFAULT '[]';
  UPDATE cache SET layers =
    (SELECT json_group_array(digest) FROM pins WHERE owner = 'cache:' || cache.key AND kind = 'layer');
  `,
  `
  -- What happened, in the order it was written; the oldest go when there are too many.
  CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, type TEXT NOT NULL, action TEXT NOT NULL,
    actor TEXT NOT NULL, attributes TEXT NOT NULL
  ) STRICT;
  `,
  `
  -- What compressed a blob that was made here: name, version and level. Of blobs from elsewhere nothing is known.
  ALTER TABLE blobs ADD COLUMN encoder TEXT;
  `,
]
