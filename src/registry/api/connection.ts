import type { RegistryApi } from '#transport'
import type { Administration } from './administration.ts'
import type { Self } from './operation.ts'

/** The way to a registry, with its address and a login: its errors are those of the network and of the login. */
export type ApiConnection = Pick<RegistryApi, 'name' | 'send'>

/** Administration of a registry over the network. Errors are those that the same administration beside the data has. */
export interface RemoteAdmin extends Administration {
  /** Whose login it is, and what that may do. */
  me(): Promise<Self>
}
