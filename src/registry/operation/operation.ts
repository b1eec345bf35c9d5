import type { Writable } from 'node:stream'
import type { Observe } from './registry-event.ts'
import { openRequestLog } from './request-log.ts'

/** What the operator wants to see of a registry. */
export interface OperationOptions {
  /** Where a line of JSON is written for each request: a stream, or the path of a file. */
  requestLog?: Writable | string
}

/** Watches a registry for its operator. Dispose it after the registry. */
interface Operation extends AsyncDisposable {
  /** Undefined when nothing is to be seen. */
  observe: Observe | undefined
  /** Whether there are files to open again. */
  reloads: boolean
  reload(): Promise<void>
}

/** `report` is told of what fails later; what cannot be opened now rejects. */
export async function openOperation(
  { requestLog }: OperationOptions,
  report: (failure: unknown, what: string) => void,
): Promise<Operation> {
  await using opened = new AsyncDisposableStack()
  const log = requestLog === undefined ? undefined : opened.use(await openRequestLog(requestLog, report))
  const parts = opened.move()
  return {
    observe: log?.observe,
    reloads: typeof requestLog === 'string',
    async reload() {
      await log?.reopen()
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}
