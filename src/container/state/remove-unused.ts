import { isBaleError } from '#base'

/** Removes one of many that were unused when they were listed. False when it is in use by now, or another process removed it. */
export async function removeUnused(remove: () => Promise<void>): Promise<boolean> {
  try {
    await remove()
    return true
  } catch (error) {
    if ((['CONFLICT', 'CONTAINER_NOT_FOUND', 'VOLUME_NOT_FOUND'] as const).some((code) => isBaleError(error, code)))
      return false
    throw error
  }
}
