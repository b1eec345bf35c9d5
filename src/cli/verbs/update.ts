import { BaleError } from '#base'
import { CONTAINER_FLAGS, resources } from '../flags/container-flags.ts'
import { parseRestart } from '../flags/flag-values.ts'
import { eachName } from '../verb/each-name.ts'
import { defineVerb } from '../verb/verb.ts'

const NAMES =
  /--(blkio-weight|cpu-period|cpu-quota|cpu-shares|cpus|cpuset-cpus|cpuset-mems|memory|memory-reservation|memory-swap|pids-limit|restart|cpu-rt-period|cpu-rt-runtime|kernel-memory) /

export const verb = defineVerb({
  name: 'update',
  summary: 'Change limits and the restart policy of containers',
  usage: 'CONTAINER [CONTAINER...]',
  arguments: { min: 1 },
  options: CONTAINER_FLAGS.filter((option) => NAMES.test(option.flags)),
  examples: [{ command: 'bale update --memory 512m --restart always web', explains: 'Takes effect while it runs' }],
  run: ({ args, options, engine, io }) => {
    const limits = resources(options)
    const change = {
      ...(Object.keys(limits).length > 0 && { resources: limits }),
      ...(options.restart !== undefined && { restart: parseRestart(options.restart) }),
    }
    if (Object.keys(change).length === 0)
      throw new BaleError('INVALID_ARGUMENT', 'You must provide one or more flags when using this command.')
    return eachName(io, args, async (name) => {
      for (const text of await engine.containers.update(name, change)) io.warn(`WARNING: ${text}`)
    })
  },
})
