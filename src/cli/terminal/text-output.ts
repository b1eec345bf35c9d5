import { startResultFile } from '#engine'
import type { Terminal } from './terminal.ts'

/** Where the text that a verb ends with goes: to a file, or to standard output. */
interface TextOutput extends AsyncDisposable {
  /** Once, with a text that ends in a newline. */
  write(text: string): Promise<void>
}

/** To be opened before the work begins: a file that cannot be written is refused, and it appears when it is complete. */
export async function openTextOutput(io: Pick<Terminal, 'print'>, file: string | undefined): Promise<TextOutput> {
  if (file !== undefined && file !== '-') return startResultFile(file)
  return {
    write: async (text) => io.print(text.replace(/\n$/, '')),
    [Symbol.asyncDispose]: async () => undefined,
  }
}
