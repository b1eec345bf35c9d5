/**
 * In repositories that the pattern matches, tags that one of `tags` matches, and none of `except`, are immutable. Both are
 * written as tags, with `*` for any characters.
 */
export interface ImmutableTags {
  kind: 'immutable'
  pattern: string
  tags: string[]
  except: string[]
}

/**
 * In repositories that the pattern matches, a tag stays when it is one of the `last` so many that were pushed, when it was pushed
 * `within` so many milliseconds, or when one of `tags` matches it. What none of such policies keeps is removed by collections.
 */
export interface KeptTags {
  kind: 'keep'
  pattern: string
  last?: number
  within?: number
  tags: string[]
}

/**
 * Repositories that the pattern matches take manifests alone whose media types (their own, that of the artifact, the config and
 * the layers) one of `allow` matches, if any is given, and none of `block`. A star stands for any characters.
 */
export interface ContentTypes {
  kind: 'types'
  pattern: string
  allow: string[]
  block: string[]
}

/**
 * Repositories that the pattern matches take images alone whose lowest layers are those of one of `allow`, if any is
 * given, and of none of `block`: images of the registry, `base/debian:12` or `base/debian@sha256:…`. A tag is what it points to
 * at the moment of a push.
 */
export interface BaseImages {
  kind: 'base'
  pattern: string
  allow: string[]
  block: string[]
}

/** A rule about repositories that its pattern matches. */
export type Rule = ImmutableTags | KeptTags | ContentTypes | BaseImages

/** A rule that is stored. Its ID is never given again. */
export type TagPolicy = Rule & { id: number }
