import { detachSequence, lacksTerminal, runSession } from '../verb/terminal-session.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'attach',
  summary: 'Connect your terminal to a running container',
  usage: 'CONTAINER',
  arguments: { min: 1, max: 1 },
  options: [
    { flags: '--no-stdin', description: 'Do not attach stdin' },
    { flags: '--detach-keys <KEYS>', description: 'Key sequence to detach (ctrl-p,ctrl-q)' },
    { flags: '--sig-proxy', description: 'Forward signals to the process', default: true },
  ],
  examples: [{ command: 'bale attach web', explains: 'Shows its output from now on; exits when it exits' }],
  async run(context) {
    const { args, options, engine, io } = context
    const name = args[0]!
    if (options.detachKeys !== undefined) detachSequence(options.detachKeys)
    const { attach, tty, wait } = await engine.containers.attach(name)
    if (lacksTerminal(io, { stdin: !options.noStdin, tty })) {
      attach!.close()
      return 1
    }
    const how = await runSession(context, attach!, {
      stdin: !options.noStdin,
      tty,
      redraw: true,
      detachKeys: options.detachKeys,
      ...(options.sigProxy !== false && { onSignal: (signal) => engine.containers.kill(name, signal) }),
    })
    return how === 'detached' ? 0 : wait()
  },
})
