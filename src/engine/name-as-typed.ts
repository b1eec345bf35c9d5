import { BaleError, isBaleError, printable } from '#base'

/** For verbs in which docker repeats the name of a missing image as it was typed, without `:latest`. */
export async function nameAsTyped<T>(name: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!isBaleError(error, 'IMAGE_NOT_FOUND')) throw error
    const { hint, next, details } = error
    throw new BaleError('IMAGE_NOT_FOUND', `No such image: ${printable(name, 300)}`, {
      cause: error,
      hint,
      next,
      details,
    })
  }
}
