import type { Container } from '../model/index.ts'
import { type AttachSession, attachTo } from '../runtime/index.ts'
import { announce, type Machinery, pathsOf } from '../state/index.ts'
import { leaveContainerAlone } from './container-end.ts'

/** A connection to a container's first process; events say that it began, resized the terminal and detached. */
export async function openSession(machinery: Machinery, record: Container): Promise<AttachSession> {
  const session = attachTo(pathsOf(machinery, record.id).bundle)
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
