import { setTimeout as sleep } from 'node:timers/promises'
import { BaleError } from '#base'
import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS, type ReplicationStatus } from './registry.ts'

export const verb = defineVerb({
  name: 'registry replication run',
  summary: 'Have the server of a registry compare everything that a rule replicates, now',
  usage: 'RULE',
  arguments: { min: 1, max: 1 },
  options: [
    ...PLACE_OPTIONS,
    {
      flags: '--watch',
      description: 'Show how far it is until nothing is left to do now; fails when something could not be replicated',
    },
  ],
  examples: [
    {
      command: 'bale registry replication run --watch site',
      explains: 'A line whenever the number of tags changes that wait, run, are done or failed',
    },
  ],
  async run({ args, options: { watch, ...place }, engine, io, signal }) {
    const [rule] = args as [string]
    await using admin = await openAdmin(place, engine, io)
    await admin.replications.run(rule)
    if (!watch) return 0
    for (let shown = ''; ; await sleep(EVERY, undefined, { signal })) {
      const status = (await admin.replications.list()).find(({ name }) => name === rule)
      if (!status) throw new BaleError('NOT_FOUND', `the rule ${rule} has gone`)
      const line = words(status)
      if (line !== shown) await io.print(line)
      shown = line
      const code = exitCodeOf(status)
      if (code !== undefined) return code
    }
  },
})

/** Milliseconds. */
const EVERY = 1000

function words({ tasks, failure }: ReplicationStatus): string {
  const { waiting, running, done, failed } = tasks
  const counts = `${waiting} waiting, ${running} running, ${done} done, ${failed} failed`
  return failure === undefined ? counts : `${counts}; ${failure}`
}

/** Undefined while something is to be done. What waits for another try has failed so far. */
function exitCodeOf({ tasks: { waiting, due, running, failed }, restsUntil }: ReplicationStatus): number | undefined {
  if (running > 0 || (due > 0 && restsUntil === undefined)) return undefined
  return waiting + failed > 0 ? 1 : 0
}
