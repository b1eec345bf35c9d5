/**
 * transport/credentials: logins of registries, where docker and podman keep them. Promises: docker's config.json
 * (auths, credsStore, credHelpers) and podman's auth.json are read; writes are atomic, keep what they do not know and
 * are readable by their owner only. Does not: talk to a registry, or put a secret into a message or an argument list.
 */
export { type Credential, type CredentialSource, fixedCredential, noCredentials } from './credential.ts'
export {
  type CredentialStore,
  type CredentialStoreOptions,
  createCredentialStore,
  type Erased,
  type StoredIn,
} from './credential-store.ts'
export { normalizeKey } from './registry-key.ts'
