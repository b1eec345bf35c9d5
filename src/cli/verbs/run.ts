import { BaleError, commandExitCode, isBaleError } from '#base'
import { type ContainerRequest, type Engine, type ResultFile, type RunningContainer, startResultFile } from '#engine'
import { CONTAINER_FLAGS, containerRequest, readStream, type Stream } from '../flags/container-flags.ts'
import type { OptionsOf, VerbOption } from '../flags/verb-option.ts'
import { createProgressView } from '../render/progress.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { detachSequence, lacksTerminal, runSession, terminalSize } from '../verb/terminal-session.ts'
import { defineVerb } from '../verb/verb.ts'

const OPTIONS = [
  ...CONTAINER_FLAGS,
  { flags: '-d, --detach', description: 'Run in the background and print the container ID' },
  { flags: '--detach-keys <KEYS>', description: 'Key sequence to detach (ctrl-p,ctrl-q)' },
  { flags: '--sig-proxy', description: 'Forward signals to the process', default: true },
  { flags: '-q, --quiet', description: 'Do not show the progress of a pull' },
] as const satisfies readonly VerbOption[]

type Options = OptionsOf<typeof OPTIONS>

export const verb = defineVerb({
  name: 'run',
  summary: 'Create a container from an image and run a command in it',
  usage: 'IMAGE [COMMAND] [ARG...]',
  arguments: { min: 1 },
  passThrough: true,
  failureCode: 125,
  failureCodeOf: commandExitCode,
  options: OPTIONS,
  examples: [
    { command: 'bale run --rm -it debian:12', explains: 'A shell in a container that is removed afterwards' },
    { command: 'bale run -d --name web -p 8080:80 webserver', explains: 'A server in the background' },
    { command: 'bale run --rm -v "$PWD:/src" -w /src debian:12 ls -l', explains: 'A command on your files' },
  ],
  async run(context) {
    const { args, options, engine, io, signal } = context
    const streams = attachedStreams(options)
    const stdin = streams ? streams.includes('stdin') : (options.interactive ?? false)
    const request = containerRequest(args, options, io, {
      attachStdin: stdin && !options.detach,
      attachStdout: !options.detach && (streams?.includes('stdout') ?? true),
      attachStderr: !options.detach && (streams?.includes('stderr') ?? true),
      stdinOnce: stdin && !options.detach,
    })
    if (!options.detach && lacksTerminal(io, { stdin, tty: options.tty })) return 1
    if (options.detachKeys !== undefined) detachSequence(options.detachKeys)
    const started = await start(engine, request, options, io, signal)
    if (!started.attach) {
      await io.print(started.id)
      return 0
    }
    const how = await runSession(context, started.attach, {
      stdin,
      tty: started.tty,
      streams: streams?.filter((stream) => stream !== 'stdin'),
      detachKeys: options.detachKeys,
      ...(options.sigProxy !== false && { onSignal: (signal) => engine.containers.kill(started.id, signal) }),
    })
    if (how === 'detached') return 0
    return started.wait()
  },
})

function attachedStreams(options: Options): Stream[] | undefined {
  if (!options.attach?.length) return undefined
  if (options.detach) throw new BaleError('INVALID_ARGUMENT', 'Conflicting options: -a and -d')
  return options.attach.map(readStream)
}

async function start(
  engine: Engine,
  request: ContainerRequest,
  options: Options,
  io: Terminal,
  signal: AbortSignal,
): Promise<RunningContainer> {
  await using cidFile = await startCidFile(options.cidfile)
  using view = createProgressView(io, { quiet: options.quiet, to: 'stderr' })
  return await engine.containers.run(request, {
    detach: options.detach,
    size: options.tty ? terminalSize(io) : undefined,
    signal,
    progress: view.report,
    onCreated: (id) => cidFile.write(id),
  })
}

/**
 * The file of --cidfile, before anything is made: it must not exist, since it would name another container. Without a path
 * nothing is written.
 */
export async function startCidFile(path: string | undefined): Promise<ResultFile> {
  if (path === undefined) return { write: async () => undefined, [Symbol.asyncDispose]: async () => undefined }
  try {
    return await startResultFile(path, { mustBeNew: true })
  } catch (cause) {
    if (!isBaleError(cause, 'CONFLICT')) throw cause
    throw new BaleError(
      'INVALID_ARGUMENT',
      `Container ID file found, make sure the other container isn't running or delete ${path}`,
      { cause },
    )
  }
}
