import type { NextStep } from '#base'

type Phrases = { [Act in NextStep['act']]: string | ((step: Extract<NextStep, { act: Act }>) => string) }

const LOGIN = {
  unknown: 'it may not exist, or need a login',
  denied: 'log in with an account that may do this',
  refused: 'log in again',
  unreadable: 'write it again',
}

const DIRECTORY = {
  root: 'use another directory: --root DIRECTORY',
  run: 'use a shorter run directory (--run)',
  any: 'use another directory: --root for the store, --run for what is gone after a reboot',
}

/** The one place where the next step after a failure gets verbs and flags of the command line. */
const PHRASES: Phrases = {
  'check-disk': "`bale system check --repair` finds out what is damaged; the kernel's log (dmesg) tells about the disk",
  'repair-store': ({ images = [] }) =>
    `run \`bale system check --repair\`, then pull, load or build ${images.join(', ') || 'the image'} again`,
  prune: 'bale system prune frees what is not in use',
  'run-as-root': 'run the command with sudo',
  'choose-directory': ({ of }) => DIRECTORY[of],
  'use-newer-bale': 'use the newer bale that wrote it, or another --root',
  'choose-layer-format': ({ format }) =>
    format
      ? `use --snapshotter ${format}, or a store on ext4, XFS or btrfs with Linux 5.4 or newer, as root`
      : 'leave --snapshotter out (images can be kept and moved, not run), or run bale as root: sudo bale …',
  login: ({ registry, because }) => `${LOGIN[because]}: bale login ${registry}`,
  pull: 'bale images lists what is here, bale pull fetches an image',
  tag: ({ name }) =>
    name === undefined
      ? 'give the image a name: bale tag ID NAME'
      : `give an image this name first: bale tag IMAGE ${name}`,
  'untag-image': ({ name }) => `untag the image: bale rmi ${name}`,
  'choose-platform': ({ offered }) =>
    offered === undefined ? 'choose one with --platform' : `choose one of them with --platform ${offered}`,
  import: ({ directory }) =>
    directory === undefined
      ? 'bale import takes a root file system'
      : `for a root file system: tar -C ${directory} -c . | bale import - NAME`,
  'load-layout': ({ directory }) => `for an OCI layout: tar -C ${directory} -c . | bale load`,
  'create-list': ({ name }) => `make it: bale manifest create ${name} IMAGE [IMAGE...]`,
  'inspect-list': ({ name }) => `bale manifest inspect ${name} shows what is in it`,
  'amend-list': ({ name }) => `add to it with --amend, or remove it: bale manifest rm ${name}`,
  'list-containers': ({ because }) => (because === 'port' ? 'bale ps shows which container has it' : 'see: bale ps -a'),
  'start-container': ({ name }) => `start it: bale start ${name}`,
  'remove-container': ({ names }) =>
    `remove the ${names.length > 1 ? 'containers' : 'container'} first: bale rm ${names.join(' ')}`,
  'give-command': ({ image }) => `the image ${image} names none; give one: bale run ${image} COMMAND`,
  'skip-pause': 'use --pause=false',
  'choose-security': ({ option }) => `\`--security-opt ${option}\` does without`,
  'list-networks': 'see: bale network ls',
  'inspect-network': ({ name }) => `see which: bale network inspect ${name}`,
  'choose-subnet': ({ because }) =>
    because === 'in-use'
      ? 'remove the network and create it with another --subnet'
      : 'name one: bale network create --subnet 10.200.0.0/24 NAME',
  'list-volumes': 'see: bale volume ls',
  'give-build-argument': 'give the argument a default before FROM, or with --build-arg',
  'give-secret': ({ id }) => `give it with --secret id=${id},src=FILE`,
  allow: ({ entitlement }) => `allow it with --allow ${entitlement}, if you trust this Dockerfile`,
  'name-dockerfile': 'name it with -f FILE',
  'build-from-stdin': ({ file }) => `bale build - < ${file} takes a Dockerfile or a tar from stdin`,
  'list-registry-users': 'bale registry user ls shows all',
  'change-registry-password': ({ user }) => `change the password: bale registry user passwd ${user}`,
  'protect-registry': 'give --tls-cert and --tls-key, listen on 127.0.0.1, or say --insecure',
  'choose-listen-address': 'choose another address with --listen',
}

/** A next step as a sentence for people at a shell. */
export function phraseNextStep(step: NextStep): string {
  const phrase = PHRASES[step.act] as string | ((step: NextStep) => string)
  return typeof phrase === 'string' ? phrase : phrase(step)
}
