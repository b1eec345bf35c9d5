import type { OperationOptions } from '#base'
import type { Digest } from '#spec'
import type { FirstAdministrator, RegistryApi } from '#transport'
import type { EngineContext } from './context/context.ts'
import type { DeviceLoginOptions, Login, LoginOptions, Logout } from './login.ts'
import type { InspectedManifest } from './manifest-inspect.ts'
import type { ListOptions, PlatformChange } from './manifest-list.ts'
import type { PushListOptions } from './manifest-push.ts'

/** Logins, and what registries hold: tags, manifests, and lists of images for several platforms. */
export class RegistryOperations {
  readonly #context: EngineContext

  constructor(context: EngineContext) {
    this.#context = context
  }

  /**
   * Asks the registry whether it accepts the login, and keeps it where docker keeps it: in a credential helper or config.json.
   * `server` is `HOST` or `HOST:PORT`, Docker Hub when undefined. UNAUTHORIZED leaves everything as it was.
   */
  async login(server: string | undefined, options: LoginOptions): Promise<Login> {
    return (await import('./login.ts')).login(this.#context, server, options)
  }

  /**
   * Logs in without a password here: the registry names a page and a code, which `show` is told, and gives a token to keep when somebody has let
   * this program in there. UNAUTHORIZED when nobody does, REGISTRY_FAILED for a registry without such pages.
   */
  async deviceLogin(server: string | undefined, options: DeviceLoginOptions): Promise<Login & { username: string }> {
    return (await import('./login.ts')).deviceLogin(this.#context, server, options)
  }

  /** Tries the login that is kept for a registry; undefined when none is. Throws UNAUTHORIZED when it is refused. */
  async checkLogin(server: string | undefined, options?: OperationOptions): Promise<{ registry: string } | undefined> {
    return (await import('./login.ts')).checkStoredLogin(this.#context, server, options)
  }

  /** Removes the stored login for a registry. `known` is false when there was none; `failure` is that of a helper. */
  async logout(server: string | undefined): Promise<Logout> {
    return (await import('./login.ts')).logout(this.#context, server)
  }

  /**
   * A way to the administration of a registry of bale, with the login that is kept for it: `HOST`, `HOST:PORT` or a URL. Nothing is sent
   * before its first request. UNAUTHORIZED when there is no login; INVALID_ARGUMENT for plain http to another machine, unless
   * the configuration says that the registry is insecure.
   */
  async connect(server: string): Promise<RegistryApi> {
    return (await import('./connect-registry.ts')).connectRegistry(this.#context, server)
  }

  /**
   * Makes the first administrator of a registry of bale, for whoever has the token that its operator made. DENIED when that is not right or
   * there are users already.
   */
  async makeFirstAdministrator(server: string, options: FirstAdministrator & OperationOptions): Promise<void> {
    return (await import('./connect-registry.ts')).firstAdministrator(this.#context, server, options)
  }

  /** All tags that a registry has for a repository, sorted. Throws MANIFEST_NOT_FOUND, UNAUTHORIZED, REGISTRY_UNREACHABLE. */
  async tags(name: string, options?: OperationOptions): Promise<string[]> {
    return (await import('./list-tags.ts')).listTags(this.#context, name, options)
  }

  /**
   * The manifest or index that a name refers to: a local manifest list, otherwise what the registry has,
   * else (when the registry does not have it or cannot be reached) that of the image in the store. Throws MANIFEST_NOT_FOUND.
   */
  async manifest(
    name: string,
    options?: OperationOptions & { insecure?: boolean; verbose?: boolean },
  ): Promise<InspectedManifest> {
    return (await import('./manifest-inspect.ts')).inspectManifest(this.#context, name, options)
  }

  /**
   * Puts images, of the store or of registries, together under a name: a local index that `pushList` sends. Throws
   * CONFLICT when the list exists, unless `amend` adds to it.
   */
  async createList(
    list: string,
    members: readonly string[],
    options?: ListOptions & { amend?: boolean },
  ): Promise<{ name: string }> {
    return (await import('./manifest-list.ts')).createManifestList(this.#context, list, members, options)
  }

  /** Adds images to a list. One that it already has, by digest or by the name it was added with, is replaced. */
  async addToList(list: string, members: readonly string[], options?: ListOptions): Promise<{ name: string }> {
    return (await import('./manifest-list.ts')).addToManifestList(this.#context, list, members, options)
  }

  /** Corrects the platform of one image of a list; `member` is the name it was added with, or its digest. */
  async annotateList(list: string, member: string, change: PlatformChange): Promise<void> {
    return (await import('./manifest-list.ts')).annotateManifestList(this.#context, list, member, change)
  }

  /**
   * Sends a list and all its images to a registry: those of the store from there, the others from the registries they
   * were added from. Returns the full name and the digest of the index.
   */
  async pushList(list: string, options?: PushListOptions): Promise<{ name: string; digest: Digest }> {
    return (await import('./manifest-push.ts')).pushManifestList(this.#context, list, options)
  }

  /** Removes a local list; its images stay. Throws MANIFEST_NOT_FOUND. */
  async removeList(list: string): Promise<void> {
    return (await import('./manifest-list.ts')).removeManifestList(this.#context, list)
  }
}
