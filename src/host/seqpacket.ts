import type { PacketSocket } from './packet-socket.ts'
import { connectByCalls } from './packets-by-calls.ts'
import { connectByHandle, type PipeBinding } from './packets-by-handle.ts'

/**
 * Connects to a SEQPACKET socket at a path of at most 107 bytes. Node's pipe handle, on the event loop, is the quicker way,
 * but it is reached by `process.binding`, which is deprecated (DEP0111) without a public counterpart; where that is gone,
 * system calls do.
 */
export function connectPackets(path: string): PacketSocket {
  const binding = pipeBinding()
  return binding ? connectByHandle(path, binding) : connectByCalls(path)
}

function pipeBinding(): PipeBinding | undefined {
  const { binding } = process as unknown as { binding?: (name: string) => PipeBinding }
  try {
    return binding?.('pipe_wrap')
  } catch {
    // "No such module": the other way works as well.
    return undefined
  }
}
