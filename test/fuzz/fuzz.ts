/**
 * Reads mutated inputs for a while and adds those with faults to the corpus: `npm run fuzz -- [--seconds N] [TARGET…]`. Each
 * target is read in a process of its own, so that an input that never ends is found as well.
 */
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { temporaryDirectory } from '../kit/temporary.ts'
import { attack } from './attack.ts'
import { addToCorpus } from './corpus.ts'
import { TARGETS } from './targets.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '20' }, child: { type: 'string' } },
})
const milliseconds = Number(values.seconds) * 1000
const targets = TARGETS.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
if (targets.length < positionals.length) throw new Error(`the targets are ${TARGETS.map(({ name }) => name).join(' ')}`)

/** Beyond the time, until an input counts as one that never ends. */
const GRACE = 20_000

if (values.child !== undefined) {
  const last = values.child
  const onInput = (input: Buffer) => writeFileSync(last, input)
  const found = await attack(targets[0]!, { runs: Number.MAX_SAFE_INTEGER, milliseconds, onInput })
  if (found) {
    const why = found.error instanceof Error ? `${found.error.name}: ${found.error.message}` : String(found.error)
    console.error(found.error)
    console.error(`added to ${addToCorpus(targets[0]!, found.input, why)}`)
    process.exitCode = 1
  }
} else {
  await using temporary = await temporaryDirectory('bale-fuzz')
  for (const target of targets) {
    const last = join(temporary.path, target.name)
    const words = [
      ...process.execArgv,
      import.meta.filename,
      `--seconds=${values.seconds}`,
      `--child=${last}`,
      target.name,
    ]
    const child = spawn(process.execPath, words, { stdio: 'inherit' })
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      console.error(`added to ${addToCorpus(target, readFileSync(last), 'it never ends')}`)
    }, milliseconds + GRACE)
    const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
    clearTimeout(timer)
    console.log(`${target.name}: ${code === 0 ? 'nothing found' : 'a fault'}`)
    if (code !== 0) process.exitCode = 1
  }
}
