import { existsSync } from 'node:fs'
import { BaleError, table } from '#base'
import { findProgram } from '#host'

/** Directories where Debian, Fedora and others keep helper programs outside of PATH. */
const HELPER_DIRECTORIES = [
  '/usr/lib/podman',
  '/usr/libexec/podman',
  '/usr/local/libexec/podman',
  '/usr/lib/cri-o-runc/sbin',
]
/** netavark tries each directory of PATH for iptables, and each miss costs: the likeliest first. */
const SYSTEM_DIRECTORIES = ['/usr/sbin', '/usr/bin', '/sbin', '/bin', '/usr/local/sbin', '/usr/local/bin']

/** Finds the helper programs containers need; throws UNSUPPORTED_HOST with the Debian package that has it. */
export interface Programs {
  /** PATH for everything we start. */
  readonly searchPath: string
  find(name: string): string | undefined
  need(name: string): string
}

const PACKAGES = table<string>({
  'aardvark-dns': 'aardvark-dns',
  ip: 'iproute2',
  unshare: 'util-linux',
  choom: 'util-linux',
})

/** `path` is the caller's PATH; the usual system directories are searched as well. */
export function programs(path = ''): Programs {
  const directories = [...new Set([...SYSTEM_DIRECTORIES, ...path.split(':')])].filter(Boolean)
  const searchPath = directories.join(':')
  const everywhere = [...directories, ...HELPER_DIRECTORIES].join(':')
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
