/** To be raised whenever an analyser finds other packages in the same files, so that images are looked at again. */
export const ANALYSER_VERSION = 2
