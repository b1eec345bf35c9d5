/**
 * Runs inside the container that bench/rows/reads.ts starts: makes one kind of read of /opt and prints its seconds. What comes
 * before the clock (node, the names of the files) is the same for all and does not count.
 */
import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs'

const READS = {
  /** Directories and inodes. */
  find: () => run('find', '/opt', '-type', 'f', '-size', '+1'),
  /** Contents of 34,000 small files. */
  grep: () => run('grep', '-rc', 'no-such-word-in-here', '/opt/modules'),
  /** Lines through C stdio, whose buffer has st_blksize bytes. */
  stdio: () => run('sed', '-n', '$=', ...namesBelow('/opt/libraries')),
  /** 4 KiB anywhere in the 500 largest files. */
  random: () => {
    const files = namesBelow('/opt/libraries')
      .map((path) => ({ path, size: statSync(path).size }))
      .sort((a, b) => b.size - a.size)
      .slice(0, 500)
      .map(({ path, size }) => ({ file: openSync(path, 'r'), size }))
    return () => {
      const page = Buffer.alloc(4096)
      let state = 1
      for (let count = 0; count < 10_000; count++) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0
        const { file, size } = files[state % files.length]
        const block = Math.floor((state / 2 ** 32) * (size / 4096))
        if (readSync(file, page, 0, 4096, block * 4096) <= 0) throw new Error('nothing read')
      }
      for (const { file } of files) closeSync(file)
    }
  },
}

const prepare = READS[process.argv[2]]
if (!prepare) throw new Error(`unknown read ${process.argv[2]}`)
for (const program of ['find', 'grep', 'sed']) spawnSync(`/usr/bin/${program}`, ['--version'])
const read = prepare()
const start = performance.now()
read()
console.log(((performance.now() - start) / 1000).toFixed(4))

/** A program of the host; grep answers 1 when it found nothing. */
function run(program, ...args) {
  return () => {
    const { status, stdout, stderr } = spawnSync(`/usr/bin/${program}`, args, { maxBuffer: 64 << 20, encoding: 'utf8' })
    if (status !== 0 && !(program === 'grep' && status === 1)) throw new Error(`${program}: ${status} ${stderr}`)
    if (stdout.length === 0) throw new Error(`${program} read nothing`)
  }
}

function namesBelow(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`)
}
