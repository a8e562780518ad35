// `npm run pack`: the tarballs that are published, the package's and its platforms'; docs/packaging.md.
//   npm run pack                          those of this machine, into target/pack
//   npm run pack -- --out <folder>        … into another folder
//   npm run pack -- --binaries <folder>   those of all platforms: `<folder>/linux-x64-gnu/` has the binaries of that one, …
// The manifests are written here and not kept in the repository: there, packages that are not published yet would make
// `npm install` fail.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

import { linkedCrates, linkedCratesPage } from './linked-crates.mjs'
import { platformPackages } from './platform-packages.mjs'
import { bundledPackages, thirdPartyPage } from './third-party.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What comes with the main package; its `files` say what of it. */
const SHIPPED = ['dist', 'types', 'docs', 'index.d.ts', 'README.md', 'CHANGELOG.md', 'LICENSE']

/**
 * @typedef {object} Tarball
 * @property {string} name the package
 * @property {string} path
 * @property {number} size bytes, packed
 * @property {number} unpackedSize bytes
 * @property {{ path: string, size: number, mode: number }[]} files
 */

/**
 * Makes the tarballs of what is built; the main package's is the first.
 * @param {{ out?: string, binaries?: string }} [options] where to, and from where the binaries of all platforms; see above
 * @returns {Tarball[]}
 */
export function pack({ out = join(root, 'target', 'pack'), binaries } = {}) {
  const staging = mkdtempSync(join(tmpdir(), 'locus-exec-pack-'))
  try {
    const folders = [stageMain(join(staging, 'main'))]
    for (const { platform, ...found } of binariesOf(binaries)) {
      folders.push(stagePlatform(join(staging, platform), found))
    }
    mkdirSync(out, { recursive: true })
    return npmPack(folders, resolve(out))
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}

function stageMain(folder) {
  mkdirSync(folder)
  for (const path of SHIPPED) {
    if (!existsSync(join(root, path))) throw new Error(`'${path}' is missing; build it: npm run build`)
    cpSync(join(root, path), join(folder, path), { recursive: true })
  }
  const bundled = bundledPackages(join(root, 'dist'))
  writeFileSync(join(folder, 'THIRD-PARTY.md'), thirdPartyPage(bundled))
  writeFileSync(join(folder, 'package.json'), manifest(bundled.map(({ name }) => name)))
  return folder
}

/** The package.json that is published: with the platforms, and without what only the repository needs. */
function manifest(bundled) {
  const { scripts, devDependencies, napi, dependencies, ...kept } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  )
  // What is in the bundles need not be installed.
  const needed = Object.entries(dependencies).filter(([name]) => !bundled.includes(name))
  const published = {
    ...{ ...kept, ...repository() },
    ...(needed.length > 0 ? { dependencies: Object.fromEntries(needed) } : {}),
    optionalDependencies: Object.fromEntries(
      platformPackages().map(({ manifest }) => [manifest.name, manifest.version]),
    ),
  }
  return `${JSON.stringify(published, null, 2)}\n`
}

function stagePlatform(folder, { manifest, readme, triple, files }) {
  mkdirSync(folder)
  for (const [name, path] of files) {
    copyFileSync(path, join(folder, name))
    // The store of a CI's artifacts forgets it.
    chmodSync(join(folder, name), 0o755)
  }
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
  writeFileSync(join(folder, 'README.md'), readme)
  writeFileSync(join(folder, 'THIRD-PARTY.md'), linkedCratesPage(linkedCrates(triple), triple))
  writeFileSync(
    join(folder, 'package.json'),
    `${JSON.stringify({ ...manifest, ...repository() }, null, 2)}\n`,
  )
  return folder
}

/** Where a release is made, which npm compares with the provenance. */
function repository() {
  const { GITHUB_SERVER_URL, GITHUB_REPOSITORY } = process.env
  const url = `git+${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}.git`
  return GITHUB_SERVER_URL && GITHUB_REPOSITORY ? { repository: { type: 'git', url } } : {}
}

/** The platforms to pack, each with the paths of its binaries by their names. */
function binariesOf(folder) {
  const all = platformPackages().map(({ binaries, platform, ...rest }) => ({
    ...{ ...rest, platform },
    files: binaries.map((name) => [name, folder ? join(folder, platform, name) : join(root, name)]),
  }))
  const complete = all.filter(({ files }) => files.every(([, path]) => existsSync(path)))
  if (folder === undefined && complete.length === 0) {
    throw new Error('there is no addon and runner to pack; build them: npm run build')
  }
  const missing = all.filter((platform) => !complete.includes(platform)).map(({ platform }) => platform)
  if (folder !== undefined && missing.length > 0) {
    throw new Error(`'${folder}' has no binaries for ${missing.join(', ')}`)
  }
  return complete
}

function npmPack(folders, out) {
  const windows = process.platform === 'win32'
  const { status, stdout, stderr, error } = spawnSync(
    windows ? 'npm.cmd' : 'npm',
    ['pack', ...folders, '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', out],
    // Not in the repository, whose package.json npm would look into.
    { cwd: out, encoding: 'utf8', shell: windows, maxBuffer: 64 * 1024 * 1024 },
  )
  if (error) throw new Error(`cannot start npm: ${error.message}`, { cause: error })
  if (status !== 0) throw new Error(`npm pack failed with exit code ${status}: ${stderr}`)
  return JSON.parse(stdout).map(({ name, filename, size, unpackedSize, files }) => ({
    ...{ name, path: join(out, filename), size, unpackedSize, files },
  }))
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    const { values } = parseArgs({ options: { out: { type: 'string' }, binaries: { type: 'string' } } })
    if (values.binaries === undefined) await import('./setup.mjs')
    for (const { path, size, unpackedSize, files } of pack(values)) {
      console.log(
        `${path}  ${kilobytes(size)} packed, ${kilobytes(unpackedSize)} unpacked, ${files.length} files`,
      )
    }
  } catch (error) {
    console.error(`pack: ${error.message}`)
    process.exitCode = 1
  }
}

function kilobytes(bytes) {
  return `${Math.round(bytes / 1000)} kB`
}
