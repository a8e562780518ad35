// Which package carries the addon and the runner for a machine. npm installs the one that fits, by its `os`, `cpu` and
// `libc`; docs/packaging.md.

/** The platforms with a package of their own; a test compares them with `napi.targets` in package.json. */
export const PLATFORMS = [
  'linux-x64-gnu',
  'linux-arm64-gnu',
  'linux-x64-musl',
  'linux-arm64-musl',
  'darwin-x64',
  'darwin-arm64',
  'win32-x64-msvc',
  'win32-arm64-msvc',
] as const

export type Platform = (typeof PLATFORMS)[number]

/** What decides which package fits. */
export interface Host {
  platform: string
  arch: string
  /** The version of the C library where it is glibc; undefined for musl, and where it does not matter. */
  glibc?: string
}

/** This machine, as the running Node sees it. It takes some 10 ms. */
export function thisHost(): Host {
  const { platform, arch } = process
  return { platform, arch, ...(platform === 'linux' ? { glibc: glibcVersion() } : {}) }
}

/** The platform that a machine is; undefined where there is no package for it. */
export function platformOf({ platform, arch, glibc }: Host): Platform | undefined {
  const abi = { linux: glibc ? '-gnu' : '-musl', win32: '-msvc' }[platform] ?? ''
  return PLATFORMS.find((known) => known === `${platform}-${arch}${abi}`)
}

/** The package of a platform, which has the addon and the runner. */
export function packageOf(platform: Platform): string {
  return `@locus/exec-native-${platform}`
}

/**
 * Why the addon or the runner cannot be had on a machine, and what to do about it.
 * @param what what is missed: `the native addon`
 * @param failure what the system said of a file that is there; undefined where there is none
 */
export function whyMissing(what: string, host: Host, failure?: string): string {
  const platform = platformOf(host)
  const where = `${describe(host)} with Node ${process.version}`
  if (platform === undefined) {
    return (
      `${what} of @locus/exec-native is not made for ${where}, only for ${PLATFORMS.join(', ')}; ` +
      'where Rust is installed, `npm run build` in a clone of the repository makes it'
    )
  }
  const problem = failure ?? `the package '${packageOf(platform)}' is not installed`
  return (
    `${what} of @locus/exec-native cannot be loaded on ${where}: ${problem}. ` +
    'Install again on this machine with `npm install --include=optional`, without a node_modules folder or a lock file ' +
    'that was made on another one; in a clone of the repository: `npm run build`'
  )
}

function describe({ platform, arch, glibc }: Host): string {
  const library = glibc ? `glibc ${glibc}` : 'musl'
  return platform === 'linux' ? `linux ${arch} (${library})` : `${platform} ${arch}`
}

function glibcVersion(): string | undefined {
  // It looks up the names of all open connections, unless it is told not to.
  Object.assign(process.report, { excludeNetwork: true })
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } }
  return header?.glibcVersionRuntime
}
