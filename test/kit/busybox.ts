import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Why tests with the small image cannot run here, or undefined. */
export function busyboxMissing(): string | undefined {
  return existsSync('/bin/busybox') ? undefined : 'Debian package busybox-static is not installed'
}

/** The tar, once it was made in this process. */
let made: Buffer | undefined

/** Writes a tar of a root file system with busybox, its links, passwd and group; returns the tar's path. */
export function busyboxTar(directory: string): string {
  const path = join(directory, 'busybox.tar')
  if (made) writeFileSync(path, made)
  else {
    makeTar(directory, path)
    made = readFileSync(path)
  }
  return path
}

function makeTar(directory: string, tar: string): void {
  const tree = join(directory, 'busybox-tree')
  for (const name of ['bin', 'etc', 'tmp', 'root', 'dev', 'proc', 'sys', 'var', 'home']) {
    mkdirSync(join(tree, name), { recursive: true })
  }
  cpSync('/bin/busybox', join(tree, 'bin/busybox'))
  const applets = execFileSync('/bin/busybox', ['--list'], { encoding: 'utf8' }).split('\n')
  for (const applet of applets) {
    if (applet && applet !== 'busybox') symlinkSync('busybox', join(tree, 'bin', applet))
  }
  writeFileSync(join(tree, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home:/bin/sh\n')
  writeFileSync(join(tree, 'etc/group'), 'root:x:0:\nuser:x:1000:\nextra:x:2000:user\n')
  execFileSync('tar', [
    '--sort=name',
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--mtime=@1700000000',
    '-C',
    tree,
    '-cf',
    tar,
    '.',
  ])
  rmSync(tree, { recursive: true })
}
