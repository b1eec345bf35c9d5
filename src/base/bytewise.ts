/**
 * Compares two texts for `sort`, code unit by code unit: not by language, so the order is the same on every machine. Names in
 * latin1 come in the order of their bytes.
 */
export function bytewise(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
