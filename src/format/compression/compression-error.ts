import { BaleError } from '#base'
import type { Compression } from './detect.ts'

export function compressionError(kind: Compression, what: string, cause?: unknown): BaleError {
  return new BaleError('INVALID_COMPRESSION', `the ${kind} stream ${what}`, {
    hint: 'the file is damaged or was cut off; fetch or make it again',
    cause,
  })
}
