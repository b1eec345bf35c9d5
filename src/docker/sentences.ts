import { BaleError, type BaleErrorOptions } from '#base'

/** CONTAINER_NOT_FOUND in docker's words; `idOrName` as it was asked for. */
export function noSuchContainer(idOrName: string, options?: BaleErrorOptions): BaleError {
  return new BaleError('CONTAINER_NOT_FOUND', `No such container: ${idOrName}`, options)
}

/** CONTAINER_NOT_RUNNING in docker's words. */
export function notRunning(id: string, options?: BaleErrorOptions): BaleError {
  return new BaleError('CONTAINER_NOT_RUNNING', `Container ${id} is not running`, options)
}

/** INVALID_ARGUMENT in docker's words, for the networks that always exist. */
export function predefinedNetwork(name: string): BaleError {
  return new BaleError('INVALID_ARGUMENT', `operation is not permitted on predefined ${name} network`)
}
