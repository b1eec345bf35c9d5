/** What opens a registry. Held in memory only; never part of a message, a log line or a program's arguments. */
export type Credential =
  | { kind: 'password'; username: string; password: string }
  /** A refresh token that a token service gave for a login (docker's `identitytoken`); traded for access tokens. */
  | { kind: 'identity-token'; username?: string; token: string }
  /** A ready access token (docker's `registrytoken`), sent as it is. */
  | { kind: 'registry-token'; token: string }

/** Where a registry client gets credentials when a registry requires them. */
export interface CredentialSource {
  /**
   * The credential for a repository, undefined when there is none (then the client stays anonymous).
   * `registry` is a host with optional port, `docker.io` for Docker Hub. Throws CREDENTIALS_FAILED.
   */
  get(registry: string, repository: string | undefined): Promise<Credential | undefined>
}

/** For registries that need no login, and for tests. */
export const noCredentials: CredentialSource = { get: async () => undefined }

/** One known credential for one registry; anonymous everywhere else. */
export function fixedCredential(registry: string, credential: Credential): CredentialSource {
  return { get: async (asked) => (asked === registry ? credential : undefined) }
}
