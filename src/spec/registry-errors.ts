import { parseJson } from './strict-json.ts'

/** One entry of the body that a registry answers a failure with. Source: distribution-spec, "Error Codes". */
export interface RegistryError {
  /** `MANIFEST_UNKNOWN`, `UNAUTHORIZED` … */
  code: string
  message: string
  detail?: unknown
}

/**
 * Reads the body of a failed answer, or gives undefined when it is something else (a proxy's HTML page). Never throws:
 * the failure it describes is what matters. Takes text that the caller has cut to a sensible length.
 */
export function parseRegistryErrors(body: string): RegistryError[] | undefined {
  const value = parseJson(body) as { errors?: unknown } | null | undefined
  if (typeof value !== 'object' || value === null || !Array.isArray(value.errors)) return undefined
  const errors = value.errors.slice(0, 20).flatMap((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null) return []
    const { code, message, detail } = entry as { code?: unknown; message?: unknown; detail?: unknown }
    if (typeof code !== 'string' || !/^[A-Z0-9_]{1,64}$/.test(code)) return []
    return [{ code, message: typeof message === 'string' ? message : '', ...(detail == null ? {} : { detail }) }]
  })
  return errors.length === 0 ? undefined : errors
}

/** The body that a registry sends. */
export function encodeRegistryErrors(errors: RegistryError[]): string {
  return JSON.stringify({ errors })
}
