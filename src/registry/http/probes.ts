import type { Exchange, RegistryContext } from './exchange.ts'
import { Refusal } from './failure.ts'

/** This process answers. */
export async function live(_context: RegistryContext, { response }: Exchange): Promise<void> {
  response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': 3 }).end('ok\n')
}

/** Requests may come here: the database and the object store answer, and this process is not being stopped. */
export async function ready(context: RegistryContext, exchange: Exchange): Promise<void> {
  if (context.health.draining) throw new Refusal(503, 'UNAVAILABLE', 'this replica is being stopped')
  const failure = context.health.storeFailure()
  if (failure !== undefined) throw failure
  await context.meta.now()
  await live(context, exchange)
}
