/** Makes a resource out of a function that undoes it; undoing twice does nothing. */
export function disposable(undo: () => Promise<void> | void): AsyncDisposable {
  let done = false
  return {
    async [Symbol.asyncDispose]() {
      if (done) return
      done = true
      await undo()
    },
  }
}
