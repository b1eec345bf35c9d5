/**
 * The closed table of bale's error codes. `http` is the status of the Docker Engine API for the same failure,
 * `registry` the distribution specification's code when a registry answers with it, `meaning` the line of docs/errors.md.
 * `commandExit` is docker's exit code of a container whose command cannot be run for this reason.
 */
export const ERROR_CODES = {
  INVALID_ARGUMENT: { http: 400, meaning: 'A flag, argument or option is invalid or not supported.' },
  INVALID_REFERENCE: {
    http: 400,
    registry: 'NAME_INVALID',
    meaning: 'An image name, tag or digest is not well formed.',
  },
  INVALID_PLATFORM: { http: 400, meaning: 'A platform (os/architecture/variant) is not well formed.' },
  INVALID_DIGEST: {
    http: 400,
    registry: 'DIGEST_INVALID',
    meaning: 'A digest is not well formed or its algorithm is unknown.',
  },
  DIGEST_MISMATCH: {
    http: 500,
    registry: 'DIGEST_INVALID',
    meaning: 'Content does not match its announced digest.',
  },
  SIZE_MISMATCH: { http: 500, registry: 'SIZE_INVALID', meaning: 'A stream is shorter or longer than announced.' },
  INVALID_MANIFEST: {
    http: 400,
    registry: 'MANIFEST_INVALID',
    meaning: 'A manifest, index or config violates the image specification.',
  },
  LIMIT_EXCEEDED: { http: 413, meaning: 'An input is larger than bale accepts.' },
  INVALID_ARCHIVE: { http: 400, meaning: 'An archive (save file, image layout) is damaged or of an unknown kind.' },
  INVALID_TAR: { http: 400, meaning: 'A tar stream is damaged or holds a hostile entry.' },
  INVALID_COMPRESSION: { http: 400, meaning: 'A compressed stream is damaged or ends early.' },
  INVALID_LAYER_IMAGE: { http: 500, meaning: 'A layer image of the store is damaged.' },
  IMAGE_NOT_FOUND: { http: 404, meaning: 'No such image in the local store.' },
  MANIFEST_NOT_FOUND: {
    http: 404,
    registry: 'MANIFEST_UNKNOWN',
    meaning: 'The registry or archive has no such manifest.',
  },
  BLOB_NOT_FOUND: { http: 404, registry: 'BLOB_UNKNOWN', meaning: 'No such blob.' },
  AMBIGUOUS_ID: { http: 400, meaning: 'A short ID matches more than one object.' },
  NO_MATCHING_PLATFORM: { http: 404, meaning: 'An image exists, but not for the requested platform.' },
  NOT_FOUND: { http: 404, meaning: 'The registry has no such account, access token, right, policy or pattern.' },
  TAG_IMMUTABLE: { http: 409, registry: 'DENIED', meaning: 'A policy of the registry keeps the tag where it is.' },
  POLICY_VIOLATED: {
    http: 403,
    registry: 'DENIED',
    meaning: 'A policy of the registry does not admit what is pushed.',
  },
  IMAGE_BLOCKED: {
    http: 403,
    registry: 'DENIED',
    meaning: 'A gate of the registry does not give the image out, or it is in quarantine.',
  },
  REPOSITORY_MOVED: {
    http: 403,
    registry: 'DENIED',
    meaning: 'The repository of the registry has another name now.',
  },
  QUOTA_EXCEEDED: {
    http: 403,
    registry: 'DENIED',
    meaning: 'A quota of the registry has no room for what is pushed.',
  },
  CONFLICT: { http: 409, meaning: 'The object is in use or the name is taken.' },
  CONTAINER_NOT_FOUND: { http: 404, meaning: 'No such container.' },
  EXEC_NOT_FOUND: {
    http: 404,
    meaning: 'No exec instance has this ID: its container was removed, or it ended some minutes ago.',
  },
  CONTAINER_NOT_RUNNING: { http: 409, meaning: 'The container is not running.' },
  NETWORK_NOT_FOUND: { http: 404, meaning: 'No such network.' },
  VOLUME_NOT_FOUND: { http: 404, meaning: 'No such volume.' },
  PATH_NOT_FOUND: { http: 404, meaning: 'No such file or directory in a container, image or context.' },
  COMMAND_NOT_FOUND: {
    http: 400,
    commandExit: 127,
    meaning: 'The command to run does not exist in the container (exit code 127).',
  },
  COMMAND_NOT_EXECUTABLE: {
    http: 400,
    commandExit: 126,
    meaning: 'The command to run cannot be executed (exit code 126).',
  },
  RUNTIME_FAILED: { http: 500, meaning: 'runc, crun or conmon refused or failed.' },
  NETWORK_SETUP_FAILED: { http: 500, meaning: 'netavark failed, or an address or port could not be allocated.' },
  MOUNT_FAILED: { http: 500, meaning: 'The kernel refused a mount.' },
  DOCKERFILE_INVALID: { http: 400, meaning: 'A Dockerfile cannot be parsed; the message names file and line.' },
  BUILD_FAILED: { http: 400, meaning: 'A step of a build failed.' },
  UNAUTHORIZED: {
    http: 401,
    registry: 'UNAUTHORIZED',
    meaning: 'A registry requires a login, or refused the one given.',
  },
  DENIED: { http: 403, registry: 'DENIED', meaning: 'The login is valid but lacks permission.' },
  UNTRUSTED: {
    http: 403,
    registry: 'DENIED',
    meaning: 'An image or an index is not signed by those who have to sign it.',
  },
  RATE_LIMITED: { http: 429, registry: 'TOOMANYREQUESTS', meaning: 'The registry asks clients to retry later.' },
  REGISTRY_UNREACHABLE: { http: 500, meaning: 'The registry cannot be reached.' },
  REGISTRY_FAILED: {
    http: 500,
    meaning: 'The registry answered with an error or violated its protocol.',
  },
  REGISTRY_REFUSED: { http: 400, registry: 'UNSUPPORTED', meaning: 'The registry does not accept this request.' },
  DOWNLOAD_FAILED: { http: 500, meaning: 'A file cannot be fetched from its URL.' },
  CREDENTIALS_FAILED: { http: 500, meaning: 'A credential helper or the credentials file failed.' },
  CERTIFICATE_FAILED: { http: 500, meaning: 'An authority (ACME) did not give a certificate.' },
  NO_SPACE: { http: 500, meaning: 'The disk is full.' },
  UNSUPPORTED_HOST: {
    http: 500,
    meaning: 'This machine lacks a required kernel feature, program or privilege.',
  },
  STORE_DAMAGED: { http: 500, meaning: 'Content of the store is missing or does not match its digest.' },
  STORE_VERSION: { http: 500, meaning: 'The store was written by a newer bale.' },
  RECOVERY_FAILED: {
    http: 500,
    meaning: 'Some of what killed processes left could not be removed; the message names where and why.',
  },
  UNAVAILABLE: {
    http: 503,
    meaning: 'A service that bale stores its data in (an object storage, a database) does not answer; try again later.',
  },
  LOCKED: { http: 409, meaning: 'Another process has held a lock for too long.' },
  ABORTED: { http: 499, meaning: 'The operation was cancelled.' },
  UNSUPPORTED: { http: 501, meaning: 'Not supported in this version.' },
  INTERNAL: { http: 500, meaning: 'A bug in bale.' },
} as const satisfies Record<string, { http: number; registry?: string; commandExit?: number; meaning: string }>

/** One of the codes of `ERROR_CODES`: `IMAGE_NOT_FOUND`. */
export type ErrorCode = keyof typeof ERROR_CODES
