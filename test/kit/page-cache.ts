import { execFileSync } from 'node:child_process'

/** Drops a file from the page cache, as far as its file system does that; dirty pages stay. */
export function dropFromPageCache(path: string): void {
  execFileSync('dd', [`if=${path}`, 'iflag=nocache', 'count=0'], { stdio: 'ignore' })
}
