import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import npm from 'semver'
import { compareVersions, type Scheme } from './compare-versions.ts'
import { nearVersions, VERSION_SLOTS } from './contract.ts'

type Pair = [left: string, right: string]

/** `<`, `=`, `>`, or `?` when one of the two is no version. */
type Answer = string

interface Oracle {
  scheme: Scheme
  /** Debian packages that it needs, for the reader of "skipped". */
  packages: string
  /** Prints one answer for each line `left<TAB>right` of its standard input. */
  command: string[]
  /** Pieces of texts that may be versions or not; none when every text is a version to the oracle. */
  pieces: string
}

const PERL = `
use Dpkg::Version;
while (my $line = <STDIN>) {
  chomp $line;
  my ($left, $right) = map { Dpkg::Version->new($_, check => 1) } split /\\t/, $line, -1;
  print defined $left && defined $right ? ('<', '=', '>')[1 + ($left <=> $right)] : '?', "\\n";
}`

const python = (module: string, type: string, failure: string) => `
import sys
${module}
for line in sys.stdin:
    try:
        left, right = [${type}(text) for text in line.rstrip("\\n").split("\\t")]
        print("<" if left < right else ">" if left > right else "=")
    except ${failure}:
        print("?")`

const RUBY = `
STDIN.each_line(chomp: true) do |line|
  texts = line.split("\\t", -1)
  known = texts.all? { |text| text != "" && Gem::Version.correct?(text) }
  puts known ? "<=>"[1 + (Gem::Version.new(texts[0]) <=> Gem::Version.new(texts[1]))] : "?"
end`

const PHP = `
require "/usr/share/php/Composer/Semver/autoload.php";
$parser = new Composer\\Semver\\VersionParser();
while (($line = fgets(STDIN)) !== false) {
  try {
    [$left, $right] = array_map([$parser, "normalize"], explode("\\t", rtrim($line, "\\n")));
    $named = str_starts_with($left, "dev-") || str_starts_with($right, "dev-");
    echo $named ? "?" : "<=>"[1 + version_compare($left, $right)], "\\n";
  } catch (UnexpectedValueException $error) {
    echo "?\\n";
  }
}`

const ORACLES: Oracle[] = [
  { scheme: 'deb', packages: 'libdpkg-perl', command: ['/usr/bin/perl', '-e', PERL], pieces: '0 0 1 9 a . + ~ -' },
  {
    scheme: 'rpm',
    packages: 'python3-rpm',
    command: ['/usr/bin/python3', '-c', python('import rpm', 'rpm.ver', 'ValueError')],
    pieces: '',
  },
  {
    scheme: 'pypi',
    packages: 'python3-packaging',
    command: [
      '/usr/bin/python3',
      '-c',
      python('from packaging.version import Version, InvalidVersion', 'Version', 'InvalidVersion'),
    ],
    pieces: '0 0 1 9 a b c rc v dev post . - _ + !',
  },
  { scheme: 'gem', packages: 'ruby', command: ['/usr/bin/ruby', '-W0', '-e', RUBY], pieces: '0 0 1 9 a B . - _' },
  {
    scheme: 'composer',
    packages: 'php-cli php-composer-semver',
    command: ['/usr/bin/php', '-r', PHP],
    pieces: '0 0 1 9 a b p v .x -dev dev RC . - _ + .*',
  },
]

for (const { scheme, packages, command, pieces } of ORACLES) {
  const [program, ...args] = command
  const ask = (pairs: readonly Pair[]): Answer[] => {
    const input = pairs.map((pair) => `${pair.join('\t')}\n`).join('')
    const { status, stdout, stderr } = spawnSync(program!, args, { input, encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    return stdout.trimEnd().split('\n')
  }
  const isMissing = spawnSync(program!, args, { input: '1\t1\n', encoding: 'utf8' }).stdout?.trim() !== '='

  test(`V02 ${scheme}: the order is that of the ecosystem's own tool`, {
    skip: isMissing && `needs the Debian packages ${packages}`,
  }, () => {
    checkAgainst(scheme, ask, nearPairs(scheme))
    if (pieces !== '') checkAgainst(scheme, ask, wildPairs(pieces))
  })
}

const MAVEN_JAR = '/usr/share/java/maven3-artifact.jar'
const isMavenMissing = !existsSync(MAVEN_JAR) || spawnSync('/usr/bin/java', ['-version']).status !== 0

test('maven: the order is that of Maven', {
  skip: isMavenMissing && 'needs the Debian packages libmaven3-core-java default-jre-headless',
}, () => {
  checkAgainst('maven', askMaven, nearPairs('maven'))
})

/** Maven's own program compares each of its arguments with the next one. */
function askMaven(pairs: readonly Pair[]): Answer[] {
  const args = ['-cp', MAVEN_JAR, 'org.apache.maven.artifact.versioning.ComparableVersion', ...pairs.flat()]
  const { stdout } = spawnSync('/usr/bin/java', args, { encoding: 'utf8', maxBuffer: 1 << 26 })
  const answers = [...stdout.matchAll(/^ {3}\S+ (<|==|>) \S+$/gm)].map((match) => match[1]!.at(-1)!)
  return answers.filter((_, index) => index % 2 === 0)
}

for (const scheme of ['semver', 'cargo', 'go'] as const)
  test(`${scheme}: the order is that of npm`, () => {
    const ask = (pairs: readonly Pair[]) =>
      pairs.map(([left, right]) => (npm.valid(left) && npm.valid(right) ? symbolOf(npm.compare(left, right)) : '?'))
    checkAgainst(
      scheme,
      ask,
      nearPairs(scheme).filter((pair) => !pair.join().includes('9007199254740993')),
    )
    if (scheme === 'semver') checkAgainst(scheme, ask, wildPairs('0 0 1 9 a v . - +'))
  })

function checkAgainst(scheme: Scheme, ask: (pairs: readonly Pair[]) => Answer[], pairs: readonly Pair[]): void {
  const expected = ask(pairs)
  assert.equal(expected.length, pairs.length)
  const told = pairs.map(([left, right], index) => `${left} ${expected[index]} ${right}`)
  const found = pairs.map(([left, right]) => `${left} ${symbolOf(compareVersions(scheme, left, right))} ${right}`)
  const wrong = found.filter((line, index) => line !== told[index])
  assert.deepEqual(wrong.slice(0, 20), [], `${wrong.length} of ${pairs.length}`)
}

function nearPairs(scheme: Scheme): Pair[] {
  return fc.sample(nearVersions(VERSION_SLOTS[scheme], 2), 10_000) as Pair[]
}

/** Pairs of texts of which few are versions. */
function wildPairs(pieces: string): Pair[] {
  const text = fc.string({ unit: fc.constantFrom(...pieces.split(' ')), minLength: 1, maxLength: 8 })
  return fc.sample(fc.tuple(text, text), 5000)
}

function symbolOf(order: number | undefined): Answer {
  if (order === undefined) return '?'
  return order < 0 ? '<' : order > 0 ? '>' : '='
}
