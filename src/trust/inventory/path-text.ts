/** A path of a layer (latin1, one character per byte) as people read it; what is no UTF-8 is replaced. */
export const textOfPath = (path: string) => Buffer.from(path, 'latin1').toString()

/** A path that people wrote, as layers have it. */
export const pathOfText = (text: string) => Buffer.from(text).toString('latin1')
