// The crates that are linked into the addon and the runner, with the licences that must come along. Which they are, and
// where their sources lie, is asked of cargo, so that nothing has to be listed by hand.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What is made of them: the crates of the addon and of the runner. */
const PRODUCTS = ['locus-exec-binding', 'locus-exec']

/**
 * @typedef {object} LinkedCrate
 * @property {string} name
 * @property {string} version
 * @property {string} license its SPDX expression
 * @property {string[]} texts its licences, as they come with its source
 */

/**
 * Which crates are linked for a platform, by name; those that only run while it is built are not among them.
 * @param {string} triple the platform's name in Rust
 * @returns {LinkedCrate[]}
 */
export function linkedCrates(triple) {
  const { packages, resolve } = metadata(triple)
  const known = new Map(packages.map((it) => [it.id, it]))
  const nodes = new Map(resolve.nodes.map((node) => [node.id, node]))
  const linked = new Set()
  const walk = (id) => {
    const { targets } = known.get(id)
    if (linked.has(id) || targets.some(({ kind }) => kind.includes('proc-macro'))) return
    linked.add(id)
    for (const { pkg, dep_kinds: kinds } of nodes.get(id).deps) {
      if (kinds.some(({ kind }) => kind === null)) walk(pkg)
    }
  }
  for (const { id, name } of packages) {
    if (PRODUCTS.includes(name)) walk(id)
  }
  return [...linked]
    .map((id) => known.get(id))
    .filter(({ name }) => !PRODUCTS.includes(name))
    .map(readCrate)
    .sort((a, b) => a.name.localeCompare(b.name, 'en'))
}

function metadata(triple) {
  const args = ['metadata', '--format-version', '1', '--locked', '--filter-platform', triple]
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 }
  const { status, stdout, stderr, error } = spawnSync('cargo', args, options)
  if (error) throw new Error(`cannot start cargo: ${error.message}`, { cause: error })
  if (status !== 0) throw new Error(`cargo metadata failed with exit code ${status}: ${stderr}`)
  return JSON.parse(stdout)
}

function readCrate({ name, version, license, authors, manifest_path: manifest }) {
  const folder = dirname(manifest)
  const files = readdirSync(folder).filter((entry) => /^(licen[cs]e|copying|unlicense|notice)/i.test(entry))
  const isMit = license?.split(/\bOR\b|\//).some((choice) => /^[\s(]*MIT[\s)]*$/.test(choice))
  const texts = files
    .filter((file) => !(isMit && hasMit(files) && /apache|unlicense|copying/i.test(file)))
    .map((file) => readFileSync(join(folder, file), 'utf8').trim())
  if (texts.length === 0 && isMit) texts.push(mitOf(authors))
  if (texts.length === 0) throw new Error(`the crate '${name}' is linked and has no licence in '${folder}'`)
  return { name, version, license, texts }
}

/** Whether the licence that is chosen where there is a choice has a file of its own. */
const hasMit = (files) => files.some((file) => /mit/i.test(file))

/** The MIT licence, for a crate that names it and does not bring it. */
function mitOf(authors) {
  const holders = authors.map((author) => author.replace(/ <.*>$/, '')).join(', ') || 'the authors'
  const [, terms] = readFileSync(join(root, 'LICENSE'), 'utf8').split(/^Copyright .*$/m)
  return `MIT License\n\nCopyright (c) ${holders}\n\n${terms.trim()}`
}

/**
 * The page that comes with the binaries of a platform.
 * @param {LinkedCrate[]} crates
 * @param {string} triple the platform's name in Rust
 */
export function linkedCratesPage(crates, triple) {
  const byText = new Map()
  for (const { name, version, license, texts } of crates) {
    const text = texts.join('\n\n')
    byText.set(text, [...(byText.get(text) ?? []), `${name} ${version} (${license})`])
  }
  const parts = [...byText].map(
    ([text, names]) => `## ${names.join(', ')}\n\n${text.replace(/^(?=.)/gm, '    ').trimEnd()}\n`,
  )
  const libc = triple.endsWith('-linux-gnu')
    ? ' In `locus-runner` there is the GNU C Library (LGPL-2.1-or-later, https://sourceware.org/glibc).'
    : triple.endsWith('-linux-musl')
      ? ' In both there is musl (MIT, https://musl.libc.org).'
      : ''
  const intro =
    'These crates are part of the addon and of `locus-runner`, under their own licences; of those that can be chosen from, ' +
    'MIT is. So is the standard library of Rust (MIT OR Apache-2.0, https://www.rust-lang.org), SQLite (public domain, ' +
    `in libsqlite3-sys) and Zstandard (BSD-3-Clause, in zstd-sys).${libc}`
  return `# Packages of others\n\n${intro}\n\n${parts.join('\n')}`
}
