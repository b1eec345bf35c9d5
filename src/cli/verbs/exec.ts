import { commandExitCode } from '#base'
import { ENV_FLAG, environmentOf } from '../flags/container-flags.ts'
import { detachSequence, lacksTerminal, runSession, terminalSize } from '../verb/terminal-session.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'exec',
  summary: 'Run a command in a running container',
  usage: 'CONTAINER COMMAND [ARG...]',
  arguments: { min: 2 },
  passThrough: true,
  failureCodeOf: commandExitCode,
  options: [
    { flags: '-d, --detach', description: 'Run in the background' },
    { flags: '--detach-keys <KEYS>', description: 'Key sequence to detach (ctrl-p,ctrl-q)' },
    ENV_FLAG,
    { flags: '--env-file <FILE>', description: 'Read environment variables from a file', repeat: true },
    { flags: '-i, --interactive', description: 'Keep stdin open' },
    { flags: '--privileged', description: 'Give the process all capabilities' },
    { flags: '-t, --tty', description: 'Allocate a terminal' },
    { flags: '-u, --user <USER[:GROUP]>', description: 'User name or ID, and optionally a group' },
    { flags: '-w, --workdir <DIRECTORY>', description: 'Working directory' },
  ],
  examples: [
    { command: 'bale exec -it web sh', explains: 'A shell in a running container' },
    { command: 'bale exec -e LEVEL=2 web reload', explains: 'One command, with its exit code' },
  ],
  async run(context) {
    const { args, options, engine, io } = context
    const [name = '', ...command] = args
    if (!options.detach && lacksTerminal(io, { stdin: options.interactive, tty: options.tty })) return 1
    if (options.detachKeys !== undefined) detachSequence(options.detachKeys)
    await using running = await engine.containers.exec(name, {
      args: command,
      env: environmentOf(options, io),
      workingDir: options.workdir,
      user: options.user,
      tty: options.tty,
      stdin: options.interactive,
      privileged: options.privileged,
      detach: options.detach,
      size: options.tty ? terminalSize(io) : undefined,
    })
    if (!running.attach) return 0
    const exit = running.exit()
    const how = await runSession(context, running.attach, {
      stdin: options.interactive ?? false,
      tty: options.tty ?? false,
      detachKeys: options.detachKeys,
    })
    return how === 'detached' ? 0 : await exit
  },
})
