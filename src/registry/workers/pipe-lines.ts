import type { Readable, Writable } from 'node:stream'

/** Copies whole lines, so that those of several sources do not mix. */
export function pipeLines(from: Readable, to: Writable): void {
  let rest = ''
  from.setEncoding('utf8')
  from.on('data', (chunk: string) => {
    const text = rest + chunk
    const end = text.lastIndexOf('\n') + 1
    rest = text.slice(end)
    if (end === 0 || to.write(text.slice(0, end))) return
    from.pause()
    to.once('drain', () => from.resume())
  })
}
