import type { Clock, Log } from '#base'
import type { CredentialSource } from '#transport/credentials'
import type { HttpClient } from '#transport/http'
import type { RemoteLimits } from './limits.ts'
import type { RegistryHost } from './registry-host.ts'

/** What the authorizer and the tokens that it fetches need to know. */
export interface AuthorizerOptions {
  registry: RegistryHost
  /** Scheme and host used for the registry. */
  base: URL
  repository: string | undefined
  credentials: CredentialSource
  client: HttpClient
  clock: Clock
  limits: RemoteLimits
  /** Configuration says that the registry, and the network up to it, is trusted without TLS. */
  insecure?: boolean
  /** Whether an address may be the token service; what `checkRealm` refuses may not in any case. */
  isTokenService?: (address: URL) => boolean
  /** Ask for an identity token with the first token. */
  offlineAccess?: boolean
  log?: Log
  /** Addresses of a host name. */
  lookup?: (hostname: string) => Promise<readonly string[]>
}
