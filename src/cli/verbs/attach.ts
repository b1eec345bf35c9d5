import { runSession } from '../terminal-session.ts'
import { defineVerb } from '../verb.ts'

interface Options {
  stdin: boolean
  detachKeys?: string
  sigProxy?: boolean
}

export const verb = defineVerb<Options>({
  name: 'attach',
  summary: 'Connect your terminal to a running container',
  usage: 'CONTAINER',
  arguments: { min: 1, max: 1 },
  ownSignals: true,
  options: [
    { flags: '--no-stdin', description: 'Do not attach your stdin' },
    { flags: '--detach-keys <KEYS>', description: 'Keys that leave it running (ctrl-p,ctrl-q)' },
    { flags: '--sig-proxy', description: 'Hand signals on to the process', default: true },
  ],
  examples: [{ command: 'bale attach web', explains: 'Its output from now on; its end ends this' }],
  async run({ args, options, engine, io }) {
    const name = args[0]!
    const { attach, tty, wait } = await engine.attachContainer(name)
    const how = await runSession(io, attach!, {
      stdin: options.stdin && (!tty || io.stdin.isTTY === true),
      tty,
      detachKeys: options.detachKeys,
      ...(options.sigProxy !== false && !tty && { onSignal: (signal) => engine.killContainer(name, signal) }),
    })
    return how === 'detached' ? 0 : wait()
  },
})
