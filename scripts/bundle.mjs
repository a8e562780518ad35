// Bundles the package, its `/sdk` and the command into `dist`.
//
// One build for all three, cut into chunks: what several of them need is in one file that they share, and what the source
// imports by `import()` is read when it is asked for. So where a file is cut is said in the source, by the kind of import,
// and nowhere else. CommonJS throughout: one implementation for both module systems, so that classes, and `instanceof`
// with them, exist once.
import { chmodSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'

import { build, normalizePath } from 'vite'

/** The files that have a name for others; everything else in `dist` is found through them. */
const ENTRIES = { index: 'ts/index.ts', sdk: 'ts/sdk/index.ts', cli: 'ts/cli/bin.ts' }
/** What puts words into a terminal, for whoever does. */
const TEXT = [
  ...['node_modules/chalk/source/index.js', 'ts/cli/format.ts', 'ts/cli/short-id.ts'],
  ...['ts/cli/display/cut-to.ts', 'ts/cli/display/symbols.ts', 'ts/cli/display/wrapped.ts'],
  ...['ts/cli/renderers/clean-text.ts'],
]

/**
 * Chunks that are more than what happens to be shared, so that no run of the command reads a dozen little files. Each has
 * what its modules import, too.
 */
const CHUNKS = [
  { name: 'library', has: (path) => /^ts\/(context\/)?[^/]+$/.test(path) && path !== ENTRIES.index },
  { name: 'text', has: (path) => TEXT.includes(path) },
]
/** Those that can be imported by an ES module. */
const FACES = ['index', 'sdk']

/**
 * Makes `dist`, from nothing.
 * @param {string} root the folder of the repository
 */
export async function bundle(root) {
  const dist = join(root, 'dist')
  const { output } = await build({
    ...{ root, configFile: false, envFile: false, publicDir: false, logLevel: 'warn' },
    build: {
      ...{ ssr: true, target: 'node20.17', outDir: dist, emptyOutDir: true },
      // For coverage and THIRD-PARTY.md; not shipped, so nothing refers to them.
      sourcemap: 'hidden',
      rollupOptions: {
        input: ENTRIES,
        output: {
          ...{ format: 'cjs', exports: 'named', esModule: true, sourcemapExcludeSources: true },
          ...{ entryFileNames: '[name].cjs', chunkFileNames: '[name]-[hash].cjs' },
          // Required when it is time: Node looks through a CommonJS file that is imported for what it may export.
          dynamicImportInCjs: false,
          manualChunks: (id) => CHUNKS.find(({ has }) => has(normalizePath(relative(root, id))))?.name,
          // A chunk reads what it needs itself, and not what may be needed later.
          hoistTransitiveImports: false,
        },
      },
    },
    // Nothing is left to be installed.
    ssr: { noExternal: true },
  })
  for (const name of FACES) {
    const { exports } = output.find(({ fileName }) => fileName === `${name}.cjs`)
    // By name: `export *` would also give what Node adds by itself to a CommonJS module.
    writeFileSync(
      join(dist, `${name}.mjs`),
      `export { ${exports.toSorted().join(', ')} } from './${name}.cjs'\n`,
    )
  }
  chmodSync(join(dist, 'cli.cjs'), 0o755)
}
