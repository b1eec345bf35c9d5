/**
 * Edits that lead from one word to the other: characters inserted, deleted or changed, and with `swaps` also neighbours
 * that changed places.
 */
export function editDistance(from: string, to: string, { swaps }: { swaps: boolean }): number {
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, column) => column)]
  for (let row = 1; row <= from.length; row++) {
    const line = [row]
    for (let column = 1; column <= to.length; column++) {
      const change = rows[row - 1]![column - 1]! + (from[row - 1] === to[column - 1] ? 0 : 1)
      const fewest = Math.min(line[column - 1]! + 1, rows[row - 1]![column]! + 1, change)
      const isSwap =
        swaps && row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      line.push(isSwap ? Math.min(fewest, rows[row - 2]![column - 2]! + 1) : fewest)
    }
    rows.push(line)
  }
  return rows[from.length]![to.length]!
}
