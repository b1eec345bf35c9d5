/** What a layer's directory holds: the mountable image and the rest of the tar … */
export const IMAGE_NAME = 'layer.erofs'
export const SPLIT_NAME = 'split.zst'

/** … or, where images cannot be mounted, the extracted tree, its digest and the tar. */
export const TREE_NAME = 'tree'
export const TREE_DIGEST_NAME = 'tree.sha256'
export const TAR_NAME = 'layer.tar.zst'
