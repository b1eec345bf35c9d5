import { type BaleError, isBaleError } from '#base'
import type { Credential, CredentialSource } from './credential.ts'
import {
  type CredentialFile,
  encode,
  readCredentialFile,
  readCredentialText,
  spellings,
  updateAuths,
} from './credential-file.ts'
import { type CredentialHelper, credentialHelper, type HelperOptions } from './credential-helper.ts'
import { fittingKeys, serverAddress } from './registry-key.ts'

/** The files and helper programs that hold logins. */
export interface CredentialStoreOptions extends HelperOptions {
  /** Docker's config.json: read and written. */
  dockerConfigFile: string
  /** More files of the same form (podman's auth.json), most important first: read only. */
  authFiles?: readonly string[]
  /** Text of the form of config.json whose logins come before those of all files: a variable of the environment. */
  environment?: { name: string; text: string }
}

/** Logins where docker and podman keep them. */
export interface CredentialStore extends CredentialSource {
  /** Keeps a login, in a credential helper where one is set for the registry, else in docker's config.json. */
  store(registry: string, credential: Credential): Promise<StoredIn>
  /**
   * Forgets a login that `store` or docker kept; files of others are left alone. A helper that fails does not keep the
   * file's own entry from going.
   */
  erase(registry: string): Promise<Erased>
}

/** `known`: there was a login. `failure`: why the credential helper may still have one. */
export interface Erased {
  known: boolean
  failure?: BaleError
}

/** Where a login is kept. */
export type StoredIn = { kind: 'helper'; name: string } | { kind: 'file'; path: string }

/** Opens the logins of this user where docker and podman keep them. */
export function createCredentialStore(options: CredentialStoreOptions): CredentialStore {
  const { dockerConfigFile, authFiles = [], environment } = options
  const helperFor = (file: CredentialFile, key: string): CredentialHelper | undefined => {
    const name = file.helper(key)
    return name === undefined ? undefined : credentialHelper(name, options)
  }

  return {
    /**
     * The environment wins over files. Of them the most specific key wins; for one key docker's file before the others, a
     * helper before the file's own entry.
     */
    async get(registry, repository) {
      const given = environment && readCredentialText(environment.name, environment.text)
      for (const key of given ? fittingKeys(registry, repository) : []) {
        const found = given!.credential(key)
        if (found) return found
      }
      const files = await Promise.all([dockerConfigFile, ...authFiles].map(readCredentialFile))
      for (const key of fittingKeys(registry, repository)) {
        for (const file of files) {
          const found = (await helperFor(file, key)?.get(registry)) ?? file.credential(key)
          if (found) return found
        }
      }
      return undefined
    },

    async store(registry, credential) {
      const file = await readCredentialFile(dockerConfigFile)
      const name = file.helper(registry)
      if (name !== undefined) await credentialHelper(name, options).store(registry, credential)
      await updateAuths(dockerConfigFile, (auths) => {
        for (const key of spellings(auths, registry)) delete auths[key]
        // An empty entry means to docker that a helper has the login.
        auths[serverAddress(registry)] = name === undefined ? encode(credential) : {}
      })
      return name === undefined ? { kind: 'file', path: dockerConfigFile } : { kind: 'helper', name }
    },

    async erase(registry) {
      const file = await readCredentialFile(dockerConfigFile)
      const known = file.mentions(registry)
      const erased = await eraseFromHelper(() => helperFor(file, registry), registry)
      if (!known) return erased
      await updateAuths(dockerConfigFile, (auths) => {
        for (const key of spellings(auths, registry)) delete auths[key]
      })
      return { ...erased, known }
    },
  }
}

async function eraseFromHelper(open: () => CredentialHelper | undefined, registry: string): Promise<Erased> {
  try {
    const helper = open()
    if (!helper) return { known: false }
    const known = (await helper.get(registry)) !== undefined
    await helper.erase(registry)
    return { known }
  } catch (error) {
    if (isBaleError(error, 'CREDENTIALS_FAILED')) return { known: false, failure: error }
    throw error
  }
}
