import type { Credential, CredentialSource } from './credential.ts'
import { type CredentialFile, encode, readCredentialFile, spellings, updateAuths } from './credential-file.ts'
import { type CredentialHelper, credentialHelper, type HelperOptions } from './credential-helper.ts'
import { fittingKeys, serverAddress } from './registry-key.ts'

export interface CredentialStoreOptions extends HelperOptions {
  /** Docker's config.json: read and written. */
  dockerConfigFile: string
  /** More files of the same form (podman's auth.json), most important first: read only. */
  authFiles?: readonly string[]
}

/** Logins where docker and podman keep them. */
export interface CredentialStore extends CredentialSource {
  /** Keeps a login, in a credential helper where one is set for the registry, else in docker's config.json. */
  store(registry: string, credential: Credential): Promise<StoredIn>
  /** Forgets a login that `store` or docker kept; false when there was none. Files of others are left alone. */
  erase(registry: string): Promise<boolean>
}

export type StoredIn = { kind: 'helper'; name: string } | { kind: 'file'; path: string }

export function createCredentialStore(options: CredentialStoreOptions): CredentialStore {
  const { dockerConfigFile, authFiles = [] } = options
  const helperFor = (file: CredentialFile, key: string): CredentialHelper | undefined => {
    const name = file.helper(key)
    return name === undefined ? undefined : credentialHelper(name, options)
  }

  return {
    /** The most specific key wins; for one key docker's file before the others, a helper before the file's own entry. */
    async get(registry, repository) {
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
        // An empty entry tells docker that a helper has the login.
        auths[serverAddress(registry)] = name === undefined ? encode(credential) : {}
      })
      return name === undefined ? { kind: 'file', path: dockerConfigFile } : { kind: 'helper', name }
    },

    async erase(registry) {
      const file = await readCredentialFile(dockerConfigFile)
      const helper = helperFor(file, registry)
      let found = file.credential(registry) !== undefined
      if (helper) {
        found ||= (await helper.get(registry)) !== undefined
        await helper.erase(registry)
      }
      if (!file.mentions(registry)) return found
      await updateAuths(dockerConfigFile, (auths) => {
        for (const key of spellings(auths, registry)) delete auths[key]
      })
      return true
    },
  }
}
