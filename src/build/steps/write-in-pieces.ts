import { PIECE_SIZE, packTarInPieces } from '#format/tar'
import type { Digest } from '#spec'
import type { StepContext } from './step-context.ts'

/** Writes a layer of the tar of these entries. The pieces go to the thread that writes it, and come back to be filled again. */
export async function writeInPieces(
  { session, signal }: Pick<StepContext, 'session' | 'signal'>,
  groups: Parameters<typeof packTarInPieces>[0],
): Promise<Digest> {
  const free: ArrayBuffer[] = []
  const take = () => free.pop() ?? Buffer.allocUnsafeSlow(PIECE_SIZE).buffer
  const giveBack = (buffer: ArrayBuffer) => free.push(buffer)
  const layer = await session.intake.layers.write(packTarInPieces(groups, { take }), { signal, owned: true, giveBack })
  return layer.diffId
}
