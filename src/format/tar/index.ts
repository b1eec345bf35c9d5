export type { TarEntry } from './entry.ts'
