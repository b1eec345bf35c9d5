import { type Container, containerEvent } from '../model/index.ts'
import type { Machinery } from './machinery.ts'

/** Writes that something was done with a container, when its record does not say it. */
export async function announce(
  { store }: Pick<Machinery, 'store'>,
  container: Container,
  action: string,
  attributes?: Record<string, string>,
): Promise<void> {
  await store.events.add([containerEvent(container, action, attributes)])
}
