import { BaleError, printable } from '#base'

/** Kernel settings that belong to one container's namespaces (R10). Source: sysctl documentation of the kernel. */
const IPC = new Set([
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
])

/** Lets a root-less process of the container open low ports and ping, as docker does, where the network is its own. */
const OWN_NETWORK_DEFAULTS = {
  'net.ipv4.ip_unprivileged_port_start': '0',
  'net.ipv4.ping_group_range': '0 2147483647',
}

/** Checks the requested settings against the list of namespaced settings and adds docker's defaults. */
export function sysctls(
  asked: Record<string, string>,
  namespaces: { network: boolean; ipc: boolean },
): Record<string, string> {
  for (const [name, value] of Object.entries(asked)) {
    if (!/^[a-z0-9_./-]+$/i.test(name) || /[\u0000-\u001f]/.test(value))
      throw new BaleError('INVALID_ARGUMENT', `invalid sysctl: ${printable(name)}=${printable(value)}`)
    if (name.startsWith('net.') && namespaces.network) continue
    if ((IPC.has(name) || name.startsWith('fs.mqueue.')) && namespaces.ipc) continue
    throw new BaleError('INVALID_ARGUMENT', `sysctl ${name} is not allowed: it is not specific to the container`, {
      hint: 'net.* needs a private network, kernel.msg*, kernel.shm*, kernel.sem and fs.mqueue.* a private IPC namespace',
    })
  }
  return { ...(namespaces.network && OWN_NETWORK_DEFAULTS), ...asked }
}
