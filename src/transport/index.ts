/**
 * transport: image places outside this machine's store, each an ImageSource, an ImageTarget or both. Registries
 * (`remote`) with their logins (`credentials`), files by URL (`http`), archives of docker and OCI (`archive`), OCI layouts in directories (`layout`). Promises: one opened place is one repository or archive. Does not: know
 * the store, or move images by itself (copyImage of image does).
 */
export {
  type ArchiveImage,
  type ArchiveTarget,
  type ArchiveTargetOptions,
  createArchiveTarget,
  type ImageArchive,
  openArchive,
  unwrapArchive,
} from './archive/index.ts'
export {
  type Credential,
  type CredentialSource,
  type CredentialStore,
  type CredentialStoreOptions,
  createCredentialStore,
  type Erased,
  fixedCredential,
  noCredentials,
  normalizeKey,
  type StoredIn,
} from './credentials/index.ts'
export {
  type ConnectionSettings,
  connectionSettings,
  createFetcher,
  type FetchedUrl,
  type Fetcher,
  type ProxySettings,
} from './http/index.ts'
export {
  createLayoutTarget,
  type LayoutSource,
  type LayoutTarget,
  type NamedImage,
  openLayout,
} from './layout/index.ts'
export {
  type ApiAnswer,
  type ApiRequest,
  checkLogin,
  createMirroredSource,
  type DevicePrompt,
  defaultLimits,
  type FirstAdministrator,
  listRepositories,
  loginByDevice,
  makeFirstAdministrator,
  openRegistryApi,
  openRepository,
  type RegistryAnswer,
  type RegistryApi,
  type RemoteLimits,
  type RemoteOptions,
  type RemotePlace,
  type Repository,
} from './remote/index.ts'
