import type { ApiConnection, RemoteAdmin } from './connection.ts'
import type { OpenApi } from './openapi.ts'

// Schemas take longer to load than all else of a registry: they are loaded when somebody administers it by HTTP.

/** What answers requests. */
export async function loadServing() {
  return (await import('./serving.ts')).serving
}

/**
 * Administration of a registry over the network, by its HTTP API. Everything is checked there; nothing is sent before the first call.
 */
export async function openRemoteAdmin(connection: ApiConnection): Promise<RemoteAdmin> {
  return (await import('./remote-admin.ts')).createRemoteAdmin(connection)
}

/** The description of the API, in the form of OpenAPI 3.1, as a registry serves it at `/api/v1/openapi.json`. */
export async function apiDocument(): Promise<OpenApi> {
  return (await import('./openapi.ts')).openApi()
}
