import { filterFlag, readPairs } from '../flags/filters.ts'
import { parseTime } from '../flags/flag-values.ts'
import { eventLine } from '../render/event-line.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'events',
  summary: 'Show what happens to containers, images, networks and volumes',
  arguments: { max: 0 },
  options: [
    filterFlag('-f, --filter <FILTER>', 'container, event, image, label, network, scope, type, volume'),
    { flags: '--format <TEMPLATE>', description: "'json', or a Go template for each event" },
    { flags: '--since <TIME>', description: 'Also show earlier events since a time, or a duration such as 10m' },
    { flags: '--until <TIME>', description: 'Stop at this time' },
  ],
  examples: [
    { command: 'bale events', explains: 'Everything that happens from now on' },
    { command: 'bale events --since 10m --until 0s --filter type=container', explains: 'The last ten minutes' },
    { command: "bale events --filter event=start --format '{{json .}}'", explains: 'Starts, as JSON' },
  ],
  async run({ options, engine, io, signal }) {
    const line = eventLine(options.format)
    const events = await engine.system.events({
      since: options.since === undefined ? undefined : parseTime('since', options.since),
      until: options.until === undefined ? undefined : parseTime('until', options.until),
      filters: readPairs(options.filter),
      signal,
    })
    for await (const event of events) await io.print(line(event))
    signal.throwIfAborted()
    return 0
  },
})
