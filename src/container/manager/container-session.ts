import type { OperationOptions } from '#base'
import type { Container } from '../model/index.ts'
import { type AttachSession, attachAhead, attachTo } from '../runtime/index.ts'
import { announce, type Machinery, pathsOf } from '../state/index.ts'
import { leaveContainerAlone } from './container-end.ts'

/** A connection to a container's first process; events say that it began, resized the terminal and detached. */
export function openSession(machinery: Machinery, record: Container): Promise<AttachSession> {
  return announced(machinery, record, attachTo(pathsOf(machinery, record.id).bundle))
}

/** As `openSession`, before the process begins: it may begin when this has resolved. `monitor` is a pid. */
export async function openSessionAhead(
  machinery: Machinery,
  record: Container,
  monitor: number,
  options: OperationOptions,
): Promise<AttachSession> {
  const { session, taken } = attachAhead(pathsOf(machinery, record.id).bundle, monitor)
  const opened = await announced(machinery, record, session)
  try {
    await taken(options)
    return opened
  } catch (error) {
    session.close()
    throw error
  }
}

async function announced(machinery: Machinery, record: Container, session: AttachSession): Promise<AttachSession> {
  try {
    await announce(machinery, record, 'attach')
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
