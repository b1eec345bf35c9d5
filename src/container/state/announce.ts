import { type Container, containerEvent } from '../model/index.ts'
import type { Machinery } from './machinery.ts'

/** Records an event about a container that its record does not show. */
export async function announce(
  { store }: Pick<Machinery, 'store'>,
  container: Container,
  action: string,
  attributes?: Record<string, string>,
): Promise<void> {
  await store.events.add([containerEvent(container, action, attributes)])
}
