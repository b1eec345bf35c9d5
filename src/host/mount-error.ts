import { BaleError, errnoOf } from '#base'

/** Runs mount calls; a refusal of the kernel becomes MOUNT_FAILED that names what was mounted where. */
export function mounting<T>(what: string, target: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw mountFailed(what, target, error)
  }
}

export function mountFailed(what: string, target: string, error: unknown, kernelSays?: string): unknown {
  const errno = errnoOf(error)
  if (!errno) return error
  const reason = kernelSays ? `${errno}: ${kernelSays}` : errno
  return new BaleError('MOUNT_FAILED', `cannot mount ${what} on ${target}: ${reason}`, {
    ...(errno === 'EPERM' ? { hint: 'mounting needs root (CAP_SYS_ADMIN)' } : {}),
    cause: error,
    details: { target, errno },
  })
}
