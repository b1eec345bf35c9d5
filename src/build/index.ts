/**
 * build: Dockerfiles into images. Placeholder header until the room is filled; the language itself is in `dockerfile/`.
 */
export {}
