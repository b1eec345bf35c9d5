/** What is told of each layer while an image moves: docker's words, which scripts and eyes know. */
export interface CopyWords {
  /** The layer is not there and will be copied. */
  readonly planned: string
  /** More layers are planned than move at once. */
  readonly waiting: string
  readonly moving: string
  readonly done: string
  /** The target has the layer. */
  readonly exists: string
  /** The target has the whole image; undefined: nothing is said of its layers. */
  readonly unchanged?: string
}

export const pullWords: CopyWords = {
  planned: 'Pulling fs layer',
  waiting: 'Waiting',
  moving: 'Downloading',
  done: 'Pull complete',
  exists: 'Already exists',
}

export const pushWords: CopyWords = {
  planned: 'Preparing',
  waiting: 'Waiting',
  moving: 'Pushing',
  done: 'Pushed',
  exists: 'Layer already exists',
  unchanged: 'Layer already exists',
}

export const loadWords: CopyWords = {
  planned: 'Preparing',
  waiting: 'Waiting',
  moving: 'Loading layer',
  done: 'Loaded',
  exists: 'Layer already exists',
}

export const saveWords: CopyWords = {
  planned: 'Preparing',
  waiting: 'Waiting',
  moving: 'Saving layer',
  done: 'Saved',
  exists: 'Layer already exists',
}
