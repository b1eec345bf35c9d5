import type { Scanner, ScannerParts } from './scanner.ts'

/** `createScanner`, loaded when something is to be scanned. */
export async function openScanner(parts: ScannerParts): Promise<Scanner> {
  return (await import('./scanner.ts')).createScanner(parts)
}
