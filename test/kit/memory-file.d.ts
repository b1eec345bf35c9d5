import type { ReadableFile } from '../../src/trust/inventory/analyser.ts';
/** A file of an image, in memory. */
export declare function memoryFile(path: string, bytes: Uint8Array, mode?: number): ReadableFile;
