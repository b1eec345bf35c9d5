import type { NextStep } from '#base'

type Phrases = { [Act in NextStep['act']]: string | ((step: Extract<NextStep, { act: Act }>) => string) }

const LOGIN = {
  unknown: 'it may not exist, or may require a login',
  denied: 'log in with an account that has permission',
  refused: 'log in again',
  unreadable: 'write it again',
  'no-device': 'log in with name and password',
}

const DIRECTORY = {
  root: 'use another directory: --root DIRECTORY',
  run: 'use a shorter run directory (--run)',
  any: 'use another directory: --root for the store, --run for files that do not survive a reboot',
}

/** The one place where the next step after a failure gets verbs and flags of the command line. */
const PHRASES: Phrases = {
  'check-disk': '`bale system check --repair` finds what is damaged; check the kernel log (dmesg) for disk errors',
  'repair-store': ({ images = [] }) =>
    `run \`bale system check --repair\`, then pull, load or build ${images.join(', ') || 'the image'} again`,
  prune: 'bale system prune frees unused space',
  'run-as-root': 'run the command with sudo',
  'choose-directory': ({ of }) => DIRECTORY[of],
  'use-newer-bale': 'use the newer version of bale that wrote it, or another --root',
  'choose-layer-format': ({ format }) =>
    format
      ? `use --snapshotter ${format}, or a store on ext4, XFS or btrfs with Linux 5.4 or newer, as root`
      : 'omit --snapshotter (images can be stored and copied, not run), or run bale as root: sudo bale …',
  login: ({ registry, because }) => `${LOGIN[because]}: bale login ${registry}`,
  pull: 'bale images lists local images, bale pull fetches one',
  tag: ({ name }) =>
    name === undefined
      ? 'give the image a name: bale tag ID NAME'
      : `give an image this name first: bale tag IMAGE ${name}`,
  'untag-image': ({ name }) => `untag the image: bale rmi ${name}`,
  'choose-platform': ({ offered }) =>
    offered === undefined ? 'choose one with --platform' : `choose one of them with --platform ${offered}`,
  import: ({ directory }) =>
    directory === undefined
      ? 'bale import takes a root filesystem'
      : `for a root filesystem: tar -C ${directory} -c . | bale import - NAME`,
  'load-layout': ({ directory }) => `for an OCI layout: tar -C ${directory} -c . | bale load`,
  'create-list': ({ name }) => `create it: bale manifest create ${name} IMAGE [IMAGE...]`,
  'inspect-list': ({ name }) => `bale manifest inspect ${name} shows its entries`,
  'amend-list': ({ name }) => `add to it with --amend, or remove it: bale manifest rm ${name}`,
  'list-containers': ({ because }) =>
    because === 'port' ? 'bale ps shows which container has it' : 'list containers with bale ps -a',
  'start-container': ({ name }) => `start it: bale start ${name}`,
  'remove-container': ({ names }) =>
    `remove the ${names.length > 1 ? 'containers' : 'container'} first: bale rm ${names.join(' ')}`,
  'give-command': ({ image }) => `the image ${image} defines no command; give one: bale run ${image} COMMAND`,
  'skip-pause': 'use --pause=false',
  'choose-security': ({ option }) => `\`--security-opt ${option}\` disables it`,
  'list-networks': 'list networks with bale network ls',
  'inspect-network': ({ name }) => `see its containers: bale network inspect ${name}`,
  'choose-subnet': ({ because }) =>
    because === 'in-use'
      ? 'remove the network and create it with another --subnet'
      : 'choose one: bale network create --subnet 10.200.0.0/24 NAME',
  'list-volumes': 'list volumes with bale volume ls',
  'give-build-argument': 'give the argument a default before FROM, or a value with --build-arg',
  'give-secret': ({ id }) => `give it with --secret id=${id},src=FILE`,
  allow: ({ entitlement }) => `allow it with --allow ${entitlement}, if you trust this Dockerfile`,
  'name-dockerfile': 'name it with -f FILE',
  'build-from-stdin': ({ file }) => `bale build - < ${file} takes a Dockerfile or a tar from stdin`,
  'list-registry-users': 'bale registry user ls lists the users',
  'show-tag-history': ({ name }) => `bale registry tag history ${name} shows what it pointed to`,
  'list-registry-hooks': 'bale registry hook ls lists the hooks',
  'list-registry-replications':
    'bale registry replication ls lists the rules, and bale registry replication tasks what became of them',
  'list-registry-deliveries': 'bale registry hook deliveries lists the deliveries',
  'list-registry-policies': 'bale registry policy ls lists the policies',
  'list-registry-quotas': 'bale registry quota ls lists the quotas',
  'list-registry-exceptions': 'bale registry exception ls lists the exceptions',
  'adopt-repositories': 'choose another name, or give --adopt if all below it is to belong to this user',
  'change-registry-password': ({ user }) => `change the password: bale registry user passwd ${user}`,
  'protect-registry': 'give --tls-cert and --tls-key, listen on 127.0.0.1, or use --insecure',
  'choose-listen-address': 'choose another address with --listen',
}

/** A next step as a sentence for shell users. */
export function phraseNextStep(step: NextStep): string {
  const phrase = PHRASES[step.act] as string | ((step: NextStep) => string)
  return typeof phrase === 'string' ? phrase : phrase(step)
}
