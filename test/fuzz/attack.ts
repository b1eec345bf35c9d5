import fc from 'fast-check'
import { readCorpus } from './corpus.ts'
import { mutated } from './mutated.ts'
import { type FuzzTarget, isRefusal } from './targets.ts'

interface AttackOptions {
  runs: number
  seed?: number
  /** Ends earlier, without a failure. */
  milliseconds?: number
  /** Called with each input before it is read. */
  onInput?(input: Buffer): void
}

/** Reads known and mutated inputs; the smallest one with a fault that was found, or undefined. */
export async function attack(
  target: FuzzTarget,
  options: AttackOptions,
): Promise<{ input: Buffer; error: unknown; seed: number } | undefined> {
  const corpus = readCorpus(target)
  const seeds = [...(await target.seeds()).map((seed) => Buffer.from(seed as string)), ...corpus]
  const holds = async (input: Buffer) => {
    options.onInput?.(input)
    try {
      await target.read(input)
    } catch (error) {
      if (!isRefusal(error, target)) throw error
    }
  }
  const { milliseconds } = options
  const result = await fc.check(fc.asyncProperty(mutated(seeds), holds), {
    numRuns: options.runs,
    seed: options.seed,
    examples: seeds.map((seed): [Buffer] => [seed]),
    ...(milliseconds !== undefined && { interruptAfterTimeLimit: milliseconds, markInterruptAsFailure: false }),
  })
  if (!result.failed || result.counterexample === null) return undefined
  return { input: result.counterexample[0], error: result.errorInstance, seed: result.seed }
}
