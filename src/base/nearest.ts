import { editDistance } from './edit-distance.ts'

/** The candidate that a mistyped word most likely meant, or undefined when none is near. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(word.length / 3) + 1)
  const best = candidates
    .map((candidate) => ({
      candidate,
      distance: editDistance(word.toLowerCase(), candidate.toLowerCase(), { swaps: true }),
    }))
    .sort((a, b) => a.distance - b.distance)[0]
  return best && best.distance <= Math.min(limit, 3) && best.distance < best.candidate.length
    ? best.candidate
    : undefined
}
