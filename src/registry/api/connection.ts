import type { Administration } from './administration.ts'
import type { Self } from './operation.ts'

/** A request to the API of a registry. */
export interface ApiRequest {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** From the root of the registry, with the query: `/api/v1/users`. */
  path: string
  /** JSON; undefined for none. */
  body?: string
  signal?: AbortSignal
}

/** What came back, whatever its status. */
export interface ApiAnswer {
  status: number
  /** Without its parameters, in lower case. */
  mediaType: string | undefined
  body: string
}

/** The way to a registry, with its address and a login: its errors are those of the network and of the login. */
export interface ApiConnection {
  /** The registry, as messages name it. */
  name: string
  send(request: ApiRequest): Promise<ApiAnswer>
}

/** Administration of a registry over the network. Errors are those that the same administration beside the data has. */
export interface RemoteAdmin extends Administration {
  /** Whose login it is, and what that may do. */
  me(): Promise<Self>
}
