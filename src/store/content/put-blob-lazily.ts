import type { OperationOptions } from '#base'
import type { BlobContext, BlobOutcome } from '#image'
import type { Descriptor } from '#spec'
import type { OpenInput } from '#store/layer-jobs'
import type { Intake } from './core.ts'

/** As put-blob.ts, loaded when the first blob is written: most commands write none. */
export async function putBlob(
  core: Intake,
  descriptor: Descriptor,
  open: OpenInput,
  options: OperationOptions & BlobContext = {},
): Promise<BlobOutcome> {
  const { putBlob: put } = await import('./put-blob.ts')
  return put(core, descriptor, open, options)
}
