import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '#base'
import { readTextSync } from '#host/file'
import { openStore } from '#store'
import { inOwnNetwork } from '../../../test/kit/own-network.ts'
import { tarLayerFormats } from '../../../test/kit/tar-layer-formats.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { programs } from '../runtime/index.ts'
import { connections } from './connections.ts'
import { networkContract } from './contract.ts'

/** Interfaces, rules for the addresses of networks, and name servers with their state in a directory. */
function traces(directory: string): string[] {
  const interfaces = readdirSync('/sys/class/net').filter((name) => name !== 'lo')
  const rules = execFileSync('/usr/sbin/iptables-save', { encoding: 'utf8' }).match(/^-A .*(10\.1\d\d\.|bale-).*$/gm)
  return [...interfaces, ...(rules ?? []), ...servers(directory)]
}

function servers(directory: string): string[] {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return processes.map(commandLine).filter((line) => line.includes('aardvark-dns') && line.includes(directory))
}

/** Empty for a process that has just ended. */
function commandLine(pid: string): string {
  try {
    return readTextSync(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(errnoOf(error) ?? '')) return ''
    throw error
  }
}

inOwnNetwork(import.meta.url, () =>
  networkContract('netavark', false, async () => {
    const temporary = await temporaryDirectory('bale-net')
    const [root, run] = [join(temporary.path, 'root'), join(temporary.path, 'run')]
    // No layers are written here.
    const store = await openStore({ root, run, layerFormats: tarLayerFormats })
    return {
      connections: connections({ store, programs: programs() }),
      store,
      directory: temporary.path,
      traces: () => traces(temporary.path),
      async [Symbol.asyncDispose]() {
        await store[Symbol.asyncDispose]()
        await temporary[Symbol.asyncDispose]()
      },
    }
  }),
)
