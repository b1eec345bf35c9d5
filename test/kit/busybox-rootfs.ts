/** A root file system of Debian's busybox-static in a temporary directory, for tests that run containers without images. */
import { existsSync } from 'node:fs'
import { copyFile, link, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const BUSYBOX = '/bin/busybox'

/** Why containers cannot be run here, or false: for the `skip` option of a test. */
export function cannotRunContainers(): string | false {
  if (process.getuid?.() !== 0) return 'needs root'
  const missing = [BUSYBOX, '/usr/bin/conmon', '/usr/sbin/runc'].filter((path) => !existsSync(path))
  return missing.length ? `needs ${missing.join(', ')}` : false
}

const APPLETS =
  'sh cat echo ls id true false sleep kill env ps stat touch mkdir rm cp mv ln readlink grep sed wc head tail hostname ip ping nc wget httpd mount umount unshare df stty tty printf date dd tr sort find chmod chown test ulimit nslookup sync trap seq yes'.split(
    ' ',
  )

/** Makes the tree below `directory` (new by default) and returns its path; the caller removes it. */
export async function busyboxRootfs(directory?: string): Promise<string> {
  const root = directory ?? (await mkdtemp(join(tmpdir(), 'bale-busybox-')))
  for (const name of ['bin', 'etc', 'proc', 'sys', 'dev', 'tmp', 'root', 'var', 'home'])
    await mkdir(join(root, name), { recursive: true })
  await copyFile(BUSYBOX, join(root, 'bin/busybox'))
  for (const applet of APPLETS) {
    await rm(join(root, 'bin', applet), { force: true })
    await link(join(root, 'bin/busybox'), join(root, 'bin', applet))
  }
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nann:x:1000:1001::/home/ann:/bin/sh\n')
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nann:x:1001:\nstaff:x:50:ann\n')
  return root
}
