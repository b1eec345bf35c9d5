import { writeFileSync } from 'node:fs'
import { type Timing, timed } from './timed.ts'
import type { Tool } from './tools.ts'

/** What programs do with files: names, contents of many small files, one stream through stdio, random pages. */
const READS: Record<string, string> = {
  find: 'find /opt -type f | wc -l',
  'grep -r': 'grep -r no-such-word-in-here /opt/modules | wc -l',
  stdio: 'cat /opt/libraries/d*/file*.txt | wc -c',
  random:
    'for i in 1 2 3 4 5 6 7 8 9; do for f in /opt/base/d$i*/*.txt; do dd if=$f bs=4096 skip=1 count=1 2>/dev/null; done; done | wc -c',
}

/** Times each read inside a container, cold (page cache dropped) and warm; the start of the container is in all of them. */
export async function reads(tool: Tool, image: string): Promise<[string, Timing][]> {
  const results: [string, Timing][] = []
  for (const [what, script] of Object.entries(READS)) {
    const command = tool.run!(['--rm', '--network', 'none', image, 'sh', '-c', script])
    writeFileSync('/proc/sys/vm/drop_caches', '3')
    results.push([`${what} cold`, await timed(command, tool.env)])
    for (let round = 0; round < 3; round++) results.push([`${what} warm`, await timed(command, tool.env)])
  }
  return results
}
