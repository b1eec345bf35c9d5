import { BaleError } from '#base'
import type { Compression } from './detect.ts'

export function compressionError(kind: Compression, what: string, cause?: unknown): BaleError {
  return new BaleError('INVALID_COMPRESSION', `the ${kind} stream ${what}`, {
    hint: 'the file is damaged or truncated; fetch or create it again',
    cause,
  })
}
