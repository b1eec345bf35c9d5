import type { ReadableFile } from '../analyser.ts'

/** Whether a file begins with one of `magic`, latin1; true when there is no `magic`. */
export async function beginsAsOne(
  file: Pick<ReadableFile, 'readAt'>,
  magic: readonly string[] | undefined,
): Promise<boolean> {
  if (!magic) return true
  const bytes = await file.readAt(0, Math.max(...magic.map(({ length }) => length)))
  const beginning = Buffer.from(bytes).toString('latin1')
  return magic.some((one) => beginning.startsWith(one))
}
