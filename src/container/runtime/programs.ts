import { existsSync } from 'node:fs'
import { BaleError } from '#base'
import { findProgram } from '#host'

/** Folders where Debian, Fedora and others keep helper programs outside of PATH. */
const HELPER_FOLDERS = [
  '/usr/lib/podman',
  '/usr/libexec/podman',
  '/usr/local/libexec/podman',
  '/usr/lib/cri-o-runc/sbin',
]
/** netavark tries each folder of PATH for iptables, and each miss costs: the likeliest first. */
const SYSTEM_FOLDERS = ['/usr/sbin', '/usr/bin', '/sbin', '/bin', '/usr/local/sbin', '/usr/local/bin']

/** Finds the helper programs containers need; throws UNSUPPORTED_HOST with the Debian package that has it. */
export interface Programs {
  /** PATH for everything we start. */
  readonly searchPath: string
  find(name: string): string | undefined
  need(name: string): string
}

const PACKAGES: Record<string, string> = { 'aardvark-dns': 'aardvark-dns', ip: 'iproute2', unshare: 'util-linux' }

/** `path` is the caller's PATH; the usual system folders are searched as well. */
export function programs(path = ''): Programs {
  const folders = [...new Set([...SYSTEM_FOLDERS, ...path.split(':')])].filter(Boolean)
  const searchPath = folders.join(':')
  const everywhere = [...folders, ...HELPER_FOLDERS].join(':')
  const found = new Map<string, string | undefined>()
  const find = (name: string) => {
    if (!found.has(name)) found.set(name, findProgram(name, everywhere))
    const program = found.get(name)
    return program && existsSync(program) ? program : undefined
  }
  return {
    searchPath,
    find,
    need(name) {
      const program = find(name)
      if (program) return program
      throw new BaleError('UNSUPPORTED_HOST', `${name} is not installed`, {
        hint: `apt-get install ${PACKAGES[name] ?? name}`,
      })
    },
  }
}
