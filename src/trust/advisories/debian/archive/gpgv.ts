import { type ExecFileException, execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BaleError, errnoOf } from '#base'
import { readTextIfThere, temporaryDirectory, writeFileAtomic } from '#host/file'

/**
 * Debian's verifier of signatures. A fixed path: nothing in the surroundings chooses what says that a signature is
 * good.
 */
export const GPGV = '/usr/bin/gpgv'

/** What is verified: a file with a signature around its text, or one beside it. */
interface SignedFile {
  readonly file: Uint8Array
  readonly detached: Uint8Array | undefined
}

/** What gpgv said of the signatures of a file. */
export interface GpgvAnswer {
  /** For each signature its status lines, as words. */
  readonly signatures: readonly (readonly (readonly string[])[])[]
  /** The text that the signatures are of. Undefined when gpgv found none. */
  readonly text: string | undefined
}

/**
 * Lets gpgv verify a file with these keys alone. Undefined when there is no gpgv; UNSUPPORTED_HOST when it cannot be run or
 * does not come to an end. The answer says nothing by itself: whether a signature counts is the caller's to judge.
 * Source: gpgv(1); GnuPG, doc/DETAILS, "Format of the --status-fd output".
 */
export async function runGpgv(
  program: string,
  signed: SignedFile,
  keyrings: readonly Uint8Array[],
  signal: AbortSignal | undefined,
): Promise<GpgvAnswer | undefined> {
  await using directory = await temporaryDirectory(tmpdir(), 'bale-release-')
  const status = await statusOf(program, await argumentsFor(signed, keyrings, directory.path), signal)
  if (status === undefined) return undefined
  const lines = status.split('\n').filter((line) => line.startsWith(STATUS))
  const signatures: string[][][] = []
  for (const line of lines) {
    const words = line.slice(STATUS.length).trim().split(' ')
    if (words[0] === 'NEWSIG') signatures.push([])
    signatures.at(-1)?.push(words)
  }
  return { signatures, text: await readTextIfThere(join(directory.path, signed.detached ? INPUT : OUTPUT)) }
}

const STATUS = '[GNUPG:] '
const INPUT = 'input'
const OUTPUT = 'output'

/** Of a signature inside the file, the text is what gpgv writes: another reader might find other ends of it. */
async function argumentsFor(
  { file, detached }: SignedFile,
  keyrings: readonly Uint8Array[],
  directory: string,
): Promise<string[]> {
  const place = async (name: string, bytes: Uint8Array) => {
    await writeFileAtomic(join(directory, name), bytes, { durable: false })
    return join(directory, name)
  }
  const rings = await Promise.all(keyrings.map((bytes, index) => place(`keys-${index}.gpg`, bytes)))
  const input = await place(INPUT, file)
  return [
    ...['--homedir', directory, '--status-fd', '1'],
    ...rings.flatMap((path) => ['--keyring', path]),
    ...(detached ? [await place('signature', detached), input] : ['--output', join(directory, OUTPUT), input]),
  ]
}

const TIMEOUT = 60_000
/** Bytes of status lines: a signature has some hundreds. */
const OUTPUT_LIMIT = 1 << 20

/** What it cannot verify is an exit code, too; the status lines tell it from a signature that is wrong. */
function statusOf(
  program: string,
  args: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const options = {
    env: {},
    cwd: '/',
    timeout: TIMEOUT,
    maxBuffer: OUTPUT_LIMIT,
    killSignal: 'SIGKILL',
    signal,
  } as const
  return new Promise((resolve, reject) => {
    execFile(program, args, options, (error, stdout) => {
      if (errnoOf(error) === 'ENOENT') resolve(undefined)
      else if (signal?.aborted) reject(signal.reason)
      else if (!error || typeof error.code === 'number') resolve(stdout)
      else reject(brokenOff(program, error))
    })
  })
}

/** What it wrote until then says nothing of the signatures that it had not come to. */
function brokenOff(program: string, error: ExecFileException): BaleError {
  const { code, signal } = error
  const isTooMuch = String(code) === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER'
  const reason = isTooMuch
    ? `it wrote more than ${OUTPUT_LIMIT} bytes`
    : error.killed
      ? `it took more than ${TIMEOUT / 1000} seconds`
      : (code ?? signal)
  return new BaleError('UNSUPPORTED_HOST', `${program} could not verify the index of a Debian archive: ${reason}`, {
    cause: error,
  })
}
