import { isBaleError } from '#base'
import type { ContainerRecord, NewEvent, RecordKinds } from '#store'
import { type Container, containerEvents, networkEvents, volumeEvents } from '../model/index.ts'
import { parseContainer } from './parse-container.ts'

/** What the store must know about the records of this room; passed when opening it. */
export const recordKinds: RecordKinds = {
  container: { events: readEvents, passing: goesWithItsEnd },
  network: { events: networkEvents },
  volume: { events: volumeEvents },
}

/** --rm: after a power cut it has ended. */
function goesWithItsEnd({ document }: ContainerRecord): boolean {
  return (document as { host?: { autoRemove?: unknown } }).host?.autoRemove === true
}

/** Records of any age. One that is damaged can still be removed: it has no events. */
function readEvents(before: ContainerRecord | undefined, after: ContainerRecord | undefined): NewEvent[] {
  const read = (record: ContainerRecord | undefined): Container | undefined => record && parseContainer(record)
  try {
    return containerEvents(read(before), read(after))
  } catch (error) {
    if (isBaleError(error, 'STORE_DAMAGED')) return []
    throw error
  }
}
