/** Where a worker begins: a process that serves connections which its group, the process above it, hands over. */
import type { Socket } from 'node:net'
import { asError, type Log } from '#base'
import { loadCredentials } from './configuration/index.ts'
import { operationOptions, serveMember } from './configured.ts'
import { openOperation } from './operation/index.ts'
import {
  createHandedConnections,
  type FromWorker,
  failureOf,
  type HandedConnections,
  type MeasuredFamily,
  type Task,
  type ToWorker,
} from './workers/index.ts'

/** What is served here: from its beginning on. */
interface Serving {
  reload(): Promise<void>
  families(): MeasuredFamily[]
  stop(): Promise<void>
}

const tell = (message: FromWorker): void => void process.send?.(message)
const report = (failure: unknown, request: string) => tell({ kind: 'report', failure: failureOf(failure), request })

let connections: HandedConnections | undefined
let serving: Promise<Serving> | undefined

process.on('message', (message: ToWorker, socket?: Socket) => {
  act(message, socket).catch((error: unknown) => report(asError(error), message.kind))
})
// Nothing is served without the group: it has the lock of the directory. Its end is the end of this, however it came.
process.on('disconnect', () => process.exit(1))
// Of a whole group of processes, as a terminal sends it: the group tells what is to be done.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)

async function act(message: ToWorker, socket: Socket | undefined): Promise<void> {
  switch (message.kind) {
    case 'begin':
      return await begin(message)
    case 'connection':
      tell({ kind: 'taken', id: message.id })
      // It may have ended on its way.
      if (!socket) return tell({ kind: 'closed', id: message.id })
      return connections!.take(socket, () => tell({ kind: 'closed', id: message.id }))
    case 'reload':
      await (await serving!).reload()
      return tell({ kind: 'reloaded', id: message.id })
    case 'measure':
      return tell({ kind: 'measured', id: message.id, families: (await serving!).families() })
    case 'stop':
      await (await serving)?.stop()
      process.exit(0)
  }
}

async function begin(task: Task): Promise<void> {
  connections = createHandedConnections(task.address)
  serving = serve(task, connections)
  await serving.catch((error: unknown) => {
    process.send!({ kind: 'failed', failure: failureOf(error) } satisfies FromWorker, () => process.exit(1))
  })
}

async function serve(task: Task, { entrance }: HandedConnections): Promise<Serving> {
  const { configuration, environment, isFirst, holder, former } = task
  await using opening = new AsyncDisposableStack()
  const output = process.stdout
  const credentials = await loadCredentials(configuration, environment)
  const watched = operationOptions(configuration, credentials, { environment, output })
  const operation = opening.use(await openOperation(watched, report))
  const { observe, tracer } = operation
  const surroundings = { environment, report, observe, tracer, log: task.logs ? logToGroup : undefined }
  const served = await serveMember(configuration, surroundings, {
    credentials,
    member: { holder, former },
    entrance,
    isFirst,
  })
  const watching = opening.move()
  const hasUsers = (await served.registry.users.list({ limit: 1 })).length > 0
  const { certified } = served
  tell({ kind: 'ready', hasUsers, reloads: served.reloads || operation.reloads, certified: certified === undefined })
  void certified?.then(() => tell({ kind: 'certified' }))
  return {
    async reload() {
      await Promise.all([served.reload(), operation.reload()])
    },
    families: () => (operation.metrics?.families ?? []).map(({ text, ...family }) => ({ ...family, text: text() })),
    async stop() {
      await served[Symbol.asyncDispose]()
      await watching.disposeAsync()
    },
  }
}

const logToGroup: Log = {
  debug: (room, message, details) => tell({ kind: 'debug', room, message, details }),
}
