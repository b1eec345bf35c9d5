import { BaleError } from '#base'
import { eachName } from '../verb/each-name.ts'
import { detachSequence, runSession, terminalSize } from '../verb/terminal-session.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'start',
  summary: 'Start stopped containers',
  usage: 'CONTAINER [CONTAINER...]',
  arguments: { min: 1 },
  options: [
    { flags: '-a, --attach', description: 'Attach to its output and forward signals' },
    { flags: '-i, --interactive', description: 'Also attach stdin' },
    { flags: '--detach-keys <KEYS>', description: 'Key sequence to detach (ctrl-p,ctrl-q)' },
    { flags: '--sig-proxy', description: 'Forward signals to the process', default: true },
  ],
  examples: [
    { command: 'bale start web', explains: 'In the background' },
    { command: 'bale start -ai job', explains: 'In the foreground, with its exit code' },
  ],
  async run(context) {
    const { args, options, engine, io, signal } = context
    const attach = options.attach || options.interactive
    // In the order given: a later one may need an earlier one, for its network or its name.
    if (!attach) return eachName(io, args, (name) => engine.containers.start(name))
    if (args.length > 1)
      throw new BaleError('INVALID_ARGUMENT', 'you cannot start and attach multiple containers at once')
    const name = args[0]!
    if (options.detachKeys !== undefined) detachSequence(options.detachKeys)
    const {
      attach: session,
      tty,
      wait,
    } = await engine.containers.start(name, { attach: true, signal, size: terminalSize(io) })
    const how = await runSession(context, session!, {
      stdin: options.interactive ?? false,
      tty,
      detachKeys: options.detachKeys,
      ...(options.sigProxy !== false && { onSignal: (signal) => engine.containers.kill(name, signal) }),
    })
    return how === 'detached' ? 0 : await wait()
  },
})
