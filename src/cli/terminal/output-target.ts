import type { Writable } from 'node:stream'
import { BaleError } from '#base'
import type { Terminal } from './terminal.ts'

/** Where an archive goes: a file, or standard output, which must not be a terminal: it would show the bytes as text. */
export function outputTarget(file: string | undefined, io: Pick<Terminal, 'stdout'>): string | Writable {
  if (file !== undefined) return file
  if (!io.stdout.isTTY) return io.stdout
  throw new BaleError('INVALID_ARGUMENT', 'cowardly refusing to save to a terminal', {
    hint: 'use -o FILE, or redirect the output to a file',
  })
}
