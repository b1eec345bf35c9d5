import { spawn } from 'node:child_process'
import { Duplex } from 'node:stream'
import { BaleError, errnoOf } from '#base'
import { compressionError } from './compression-error.ts'
import { through } from './through.ts'

/**
 * xz and bzip2 are read by Debian's programs. Fixed paths and an empty environment: neither PATH nor XZ_OPT of the user who
 * starts bale, nor anything in an image, chooses what runs here (T22). xz may take half a GiB, eight times what `xz -9` needs.
 */
const PROGRAMS = {
  xz: { path: '/usr/bin/xz', args: ['-dc', '--memlimit-decompress=512MiB'], debianPackage: 'xz-utils' },
  bzip2: { path: '/usr/bin/bzip2', args: ['-dc'], debianPackage: 'bzip2' },
} as const

/** Decompresses with a child process, which has ended when the generator ends for any reason. */
export async function* decompressExternally(
  source: AsyncIterable<Uint8Array>,
  kind: 'xz' | 'bzip2',
  paths: Partial<Record<'xz' | 'bzip2', string>> = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { args, debianPackage } = PROGRAMS[kind]
  const path = paths[kind] ?? PROGRAMS[kind].path
  const child = spawn(path, args, { env: {}, cwd: '/', stdio: ['pipe', 'pipe', 'pipe'] })
  let complaints = ''
  child.stderr.on('data', (text: Buffer) => {
    complaints = (complaints + text.toString()).slice(0, 1000)
  })
  const exit = new Promise<Error | undefined>((resolve) => {
    child.on('error', resolve)
    child.on('close', (code) => resolve(code === 0 ? undefined : new Error(complaints.trim() || `${kind} failed`)))
  })
  // A program that stops reading closes its input; its exit code says why.
  child.stdin.on('error', (error) => {
    if (errnoOf(error) !== 'EPIPE') child.stdout.destroy(error)
  })
  const end = () => {
    child.kill('SIGKILL')
    // Output that nobody reads any more would keep the child from being over: its streams end only when they are read.
    for (const stream of [child.stdin, child.stdout]) stream.destroy()
    return exit
  }
  const failed = (error: Error) => {
    if (errnoOf(error) !== 'ENOENT') return compressionError(kind, `cannot be read: ${error.message}`, error)
    return new BaleError('UNSUPPORTED_HOST', `${path} is missing, which reads ${kind} streams`, {
      hint: `apt-get install ${debianPackage}`,
    })
  }
  try {
    const transform = Duplex.from({ readable: child.stdout, writable: child.stdin })
    yield* through(source, transform, { translate: (error) => error })
    const failure = await exit
    if (failure) throw failure
    if (complaints.includes('trailing garbage')) throw new Error('there is trailing data after its end')
  } catch (error) {
    const failure = await end()
    if (error instanceof BaleError) throw error
    throw failed(errnoOf(error) === undefined ? (error as Error) : (failure ?? (error as Error)))
  } finally {
    await end()
  }
}
