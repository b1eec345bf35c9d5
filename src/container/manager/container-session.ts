import type { OperationOptions } from '#base'
import type { Container } from '../model/index.ts'
import { type AttachSession, attachAhead, attachTo } from '../runtime/index.ts'
import { announce, type Machinery, pathsOf } from '../state/index.ts'
import { leaveContainerAlone } from './container-end.ts'

/** The monitor of a container that has not been started yet, by its pid, and how to wait for it. */
interface Ahead extends OperationOptions {
  monitor: number
}

/**
 * A connection to a container's first process; events say that it was opened, resized the terminal and detached. With
 * `ahead` the process has not been started yet, and can be as soon as this has resolved: none of its output is lost.
 */
export async function openSession(machinery: Machinery, record: Container, ahead?: Ahead): Promise<AttachSession> {
  const { bundle } = pathsOf(machinery, record.id)
  const { session, taken } = ahead ? attachAhead(bundle, ahead.monitor) : { session: attachTo(bundle) }
  try {
    await announce(machinery, record, 'attach')
    await taken?.(ahead)
  } catch (error) {
    session.close()
    throw error
  }
  let resized: Promise<unknown> = Promise.resolve()
  const resize: AttachSession['resize'] = async (size) => {
    const sent = await session.resize(size)
    if (sent) await announce(machinery, record, 'resize', { height: `${sent.rows}`, width: `${sent.columns}` })
    return sent
  }
  return {
    ...session,
    resize(size) {
      const result = resize(size)
      resized = Promise.allSettled([resized, result])
      return result
    },
    async detach() {
      // Whoever leaves at once would end the program before a size on its way is sent and told.
      await resized
      await session.detach()
      await leaveContainerAlone(machinery, record.id)
      await announce(machinery, record, 'detach')
    },
  }
}
