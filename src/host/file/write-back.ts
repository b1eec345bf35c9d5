/** Small enough to leave little for the last sync, large enough to keep the file system's bookkeeping cheap. */
const EVERY = 48 * 1024 * 1024

/** Starts writing a long file to the disk while it is still being made, so that the sync at its end is short. */
interface WriteBack {
  /** Reports that `bytes` more bytes are in the file. Never waits. */
  wrote(bytes: number): void
  /** Waits for a running sync, and throws what failed earlier: the file system reports a failure only once. */
  settled(): Promise<void>
}

/** `sync` is fdatasync(2) of the file, which must stay open until `settled` has ended. */
export function createWriteBack(sync: () => Promise<void>): WriteBack {
  let unsynced = 0
  let running: Promise<void> | undefined
  let failure: { error: unknown } | undefined

  async function run(): Promise<void> {
    try {
      await sync()
    } catch (error) {
      failure ??= { error }
    }
    running = undefined
  }

  return {
    wrote(bytes) {
      unsynced += bytes
      if (unsynced < EVERY || running) return
      unsynced = 0
      running = run()
    },
    async settled() {
      await running
      if (failure) throw failure.error
    },
  }
}
