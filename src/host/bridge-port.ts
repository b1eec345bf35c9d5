import { closeSync } from 'node:fs'
import { ioctl, SOCK, socket } from './kernel/syscalls.ts'

const AF_INET = 2
/** linux/sockios.h */
const SIOCGIFINDEX = 0x8933
const SIOCBRADDIF = 0x89a2
/** struct ifreq of linux/if.h: a name, then here the number of an interface. */
const REQUEST_BYTES = 40
const NUMBER_AT = 16

/** Makes an interface a port of a bridge, in the network namespace of this thread. */
export function addBridgePort(bridge: string, port: string): void {
  const any = socket(SOCK.DGRAM | SOCK.CLOEXEC, AF_INET)
  try {
    const asked = requestFor(port)
    ioctl(any, SIOCGIFINDEX, asked)
    const request = requestFor(bridge)
    request.writeInt32LE(asked.readInt32LE(NUMBER_AT), NUMBER_AT)
    ioctl(any, SIOCBRADDIF, request)
  } finally {
    closeSync(any)
  }
}

function requestFor(name: string): Buffer {
  const request = Buffer.alloc(REQUEST_BYTES)
  request.write(name, 0, NUMBER_AT - 1)
  return request
}
