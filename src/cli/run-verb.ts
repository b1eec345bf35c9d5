import { isBaleError } from '#base'
import { type ConfigOverrides, createEngine, readConfig } from '#engine'
import { NOT_UNDERSTOOD } from './flags/flag-set.ts'
import type { GlobalFlags } from './flags/global-flags.ts'
import { watchInterruption } from './interruption.ts'
import { type Output, openOutput, say } from './terminal/output.ts'
import { processTerminal } from './terminal/terminal.ts'
import { HelpWanted, parseArguments, UsageError } from './verb/parse-arguments.ts'
import type { Verb } from './verb/verb.ts'
import type { VerbEntry } from './verb-table.ts'

/** Runs one verb and returns the exit code. Every failure ends here as a message on stderr, never as a stack trace. */
export async function runVerb(entry: VerbEntry, argv: string[], flags: GlobalFlags): Promise<number> {
  const { verb } = await entry.load()
  let parsed: ReturnType<typeof parseArguments>
  try {
    parsed = parseArguments(verb, argv)
  } catch (error) {
    if (error instanceof HelpWanted) {
      const { verbHelp } = await import('./render-help.ts')
      say(`${verbHelp(verb)}\n`)
      return 0
    }
    if (error instanceof UsageError) return usageFailure(error, verb)
    await tell(error, flags)
    return NOT_UNDERSTOOD
  }
  using interruption = watchInterruption(verb)
  const outputs = {
    stdout: openOutput('stdout', interruption.onOutputError),
    stderr: openOutput('stderr', interruption.onOutputError),
  }
  const { stderr } = outputs
  try {
    const config = readConfig({
      root: flags.root,
      run: flags.run,
      snapshotter: flags.snapshotter as ConfigOverrides['snapshotter'],
      runtime: flags.runtime as ConfigOverrides['runtime'],
      dockerConfigDirectory: flags.config,
      ...(flags.debug ? { debug: ['*'] } : {}),
    })
    await using engine = createEngine({ config, untilExit: true })
    const { signal, takeSignals, onHangup } = interruption
    const io = processTerminal(config.environment, outputs, signal)
    const { dockerConfigFile } = config
    const code = (await verb.run({ ...parsed, engine, io, dockerConfigFile, signal, takeSignals, onHangup })) ?? 0
    // The last bytes may have had no reader.
    return verb.writesData && code === 0 ? (interruption.exitCode() ?? 0) : code
  } catch (error) {
    // Ctrl-C at a question is a key, not a signal.
    const code = interruption.exitCode() ?? (isBaleError(error, 'ABORTED') ? 130 : undefined)
    if (code !== undefined) {
      if (code !== 0 && code !== 141) stderr.write('bale: stopped\n')
      return code
    }
    // Some errors show only when the verb parses a flag's value.
    if (error instanceof UsageError) return usageFailure(error, verb, stderr)
    await tell(error, flags, stderr)
    return verb.failureCodeOf?.(error) ?? verb.failureCode ?? 1
  }
}

/** Loaded when something fails: most commands succeed. */
async function tell(error: unknown, flags: GlobalFlags, to?: Output): Promise<void> {
  const { renderFailure } = await import('./render/failure.ts')
  write(`${renderFailure(error, flags)}\n`, to)
}

/** docker's three paragraphs: what is wrong, the usage line, where to read more. */
async function usageFailure(error: UsageError, verb: Verb, to?: Output): Promise<number> {
  const { usageLine } = await import('./render-help.ts')
  const more = `Run 'bale ${verb.name} --help' for more information`
  write(`${error.message}\n\n${usageLine(verb)}\n\n${more}\n`, to)
  return error.exitCode
}

function write(text: string, to: Output | undefined): void {
  if (to) to.write(text)
  else say(text, 'stderr')
}
