/** What a layer's directory holds: the mountable image and the rest of the tar … */
export const IMAGE_NAME = 'layer.erofs'
export const SPLIT_NAME = 'split.zst'
/** Beside the image: which of its blocks hold inodes, small files and directories. Layers of bale 0.1 have none. */
export const METADATA_NAME = 'metadata.runs'

/** … or, where images cannot be mounted, the extracted tree, its digest and the tar. */
export const TREE_NAME = 'tree'
export const TREE_DIGEST_NAME = 'tree.sha256'
export const TAR_NAME = 'layer.tar.zst'
