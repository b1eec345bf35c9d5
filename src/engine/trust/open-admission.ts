import type { EngineContext } from '../context/context.ts'
import type { Admission } from './admission.ts'

/** Undefined when the configuration has no policy: then nothing of it is loaded, since every command on images asks. */
export async function openAdmission(context: EngineContext): Promise<Admission | undefined> {
  const path = context.config.signaturePolicy
  if (path === undefined) return undefined
  const { readAdmission } = await import('./admission.ts')
  return readAdmission(context, path)
}
