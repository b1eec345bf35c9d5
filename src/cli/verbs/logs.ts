import { once } from 'node:events'
import { parseTime, parseWholeNumber } from '../flags/flag-values.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'logs',
  summary: 'Show the logs of a container',
  usage: 'CONTAINER',
  arguments: { min: 1, max: 1 },
  options: [
    { flags: '-f, --follow', description: 'Follow the log until the container stops' },
    { flags: '--since <TIME>', description: 'Only lines after a time, or a duration ago such as 10m' },
    { flags: '--until <TIME>', description: 'Only lines before a time, or a duration ago' },
    { flags: '-n, --tail <LINES>', description: 'Number of lines to show from the end', default: 'all' },
    { flags: '-t, --timestamps', description: 'Show timestamps' },
    { flags: '--details', description: 'Show labels, variables and tag from its log options' },
  ],
  examples: [
    { command: 'bale logs -f --tail 10 web', explains: 'The last ten lines, then new ones' },
    { command: 'bale logs --since 5m -t web', explains: 'The last five minutes, with times' },
  ],
  async run({ args, options, engine, io, signal }) {
    const { frames, attributes } = await engine.containers.logs(args[0]!, {
      follow: options.follow,
      since: options.since === undefined ? undefined : parseTime('since', options.since),
      until: options.until === undefined ? undefined : parseTime('until', options.until),
      tail: tailOf(options.tail),
      signal,
    })
    const output = collectedOutput(io)
    const details = options.details ? `${detailsText(attributes)} ` : ''
    for await (const { stream, bytes, time, startsLine } of frames) {
      if (startsLine && (options.timestamps || options.details))
        await output.write(stream, Buffer.from(`${options.timestamps ? `${utcTime(time)} ` : ''}${details}`))
      await output.write(stream, bytes)
    }
    await output.flush()
    return 0
  },
})

const COLLECTED_BYTES = 64 * 1024

/** One write per line would be most of the work, so available lines of one stream are written together. */
function collectedOutput(io: Terminal) {
  let collected: Uint8Array[] = []
  let size = 0
  let stream: 'stdout' | 'stderr' = 'stdout'
  let later: NodeJS.Immediate | undefined
  const send = (): boolean => {
    if (later) clearImmediate(later)
    later = undefined
    const bytes = Buffer.concat(collected)
    collected = []
    size = 0
    return bytes.length === 0 || io[stream].write(bytes)
  }
  const flush = async () => {
    const target = io[stream]
    if (!send()) await once(target, 'drain')
  }
  return {
    flush,
    async write(to: typeof stream, bytes: Uint8Array) {
      if (to !== stream) await flush()
      stream = to
      collected.push(bytes)
      size += bytes.length
      if (size >= COLLECTED_BYTES) return flush()
      // What follows may take its time (--follow).
      later ??= setImmediate(send)
    },
  }
}

function tailOf(text: string): number | undefined {
  if (text === 'all') return undefined
  const lines = parseWholeNumber('tail', text)
  return lines < 0 ? undefined : lines
}

/** docker's form: `key=value,other=value`, sorted, and escaped as in the query of a URL. */
function detailsText(attributes: Record<string, string>): string {
  const escaped = (text: string) => encodeURIComponent(text).replaceAll('%20', '+')
  return Object.entries(attributes)
    .map(([name, value]) => `${escaped(name)}=${escaped(value)}`)
    .sort()
    .join(',')
}

/** Nine digits of a second and Z, as docker prints. */
function utcTime(text: string): string {
  const [, second = '', fraction = ''] = /^(.{19})(?:\.(\d+))?/.exec(text) ?? []
  const whole = new Date(`${second}${text.slice(second.length + (fraction ? fraction.length + 1 : 0))}`)
  return `${whole.toISOString().slice(0, 19)}.${fraction.padEnd(9, '0').slice(0, 9)}Z`
}
