/**
 * What a user can do about a failure, as a fact: each door phrases it with its own verbs (the command line names flags,
 * a web page shows a button). One member per step; its values are as users type them.
 */
export type NextStep =
  /** Check the disk and the store for damage; damaged layers are removed. */
  | { act: 'check-disk' }
  /** Remove damaged content from the store, and get these images (undefined: the current one) again. */
  | { act: 'repair-store'; images?: readonly string[] }
  /** Remove unused content. */
  | { act: 'prune' }
  | { act: 'run-as-root' }
  /** Use another directory: for the store or registry, for run-time files (a shorter path), or for either. */
  | { act: 'choose-directory'; of: 'root' | 'run' | 'any' }
  /** Use the newer version of bale that wrote a directory, or another directory. */
  | { act: 'use-newer-bale' }
  /** Keep layers in this format; undefined: in one that needs no root. */
  | { act: 'choose-layer-format'; format?: 'extract' }
  /** `unknown`: the thing may also not exist. `denied`: another account is needed. `unreadable`: the saved login is damaged. `no-device`: nobody can let it in with a browser. */
  | { act: 'login'; registry: string; because: 'unknown' | 'denied' | 'refused' | 'unreadable' | 'no-device' }
  /** Fetch an image, or list the local ones. */
  | { act: 'pull' }
  /** Give an image a name, or this name. */
  | { act: 'tag'; name?: string }
  | { act: 'untag-image'; name: string }
  /** The available platforms, if known. */
  | { act: 'choose-platform'; offered?: string }
  /** Make an image from a root file system, perhaps that of this directory. */
  | { act: 'import'; directory?: string }
  /** Load the OCI layout in this directory, as a tar. */
  | { act: 'load-layout'; directory: string }
  | { act: 'create-list'; name: string }
  | { act: 'inspect-list'; name: string }
  | { act: 'amend-list'; name: string }
  /** List the containers, or find the one that uses a port. */
  | { act: 'list-containers'; because: 'unknown' | 'port' }
  | { act: 'start-container'; name: string }
  | { act: 'remove-container'; names: readonly string[] }
  /** Make a container of this image with a command. */
  | { act: 'give-command'; image: string }
  /** Copy the container's files while it runs. */
  | { act: 'skip-pause' }
  | { act: 'choose-security'; option: 'apparmor=unconfined' | 'seccomp=unconfined' }
  | { act: 'list-networks' }
  | { act: 'inspect-network'; name: string }
  /** Create a network with a chosen subnet; `in-use`: in place of this one. */
  | { act: 'choose-subnet'; because: 'in-use' | 'none-free' }
  | { act: 'list-volumes' }
  | { act: 'give-build-argument' }
  | { act: 'give-secret'; id: string }
  | { act: 'allow'; entitlement: string }
  | { act: 'name-dockerfile' }
  /** Build from this file as standard input. */
  | { act: 'build-from-stdin'; file: string }
  | { act: 'list-registry-users' }
  | { act: 'list-registry-policies' }
  | { act: 'list-registry-quotas' }
  | { act: 'list-registry-exceptions' }
  | { act: 'list-registry-hooks' }
  | { act: 'list-registry-replications' }
  | { act: 'list-registry-deliveries' }
  /** See what a tag, `team/web:1`, pointed to. */
  | { act: 'show-tag-history'; name: string }
  /** Another name, or the user is meant to have what is below this one. */
  | { act: 'adopt-repositories' }
  | { act: 'change-registry-password'; user: string }
  /** Serve with TLS, on this machine only, or without protection on purpose. */
  | { act: 'protect-registry' }
  | { act: 'choose-listen-address' }
