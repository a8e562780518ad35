// The packages of others that are in the bundles of `dist`, with the licences that must come along. What is in a bundle is
// read from its source map, so that nothing has to be listed by hand.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/**
 * @typedef {object} BundledPackage
 * @property {string} name
 * @property {string} version
 * @property {string} license its SPDX name
 * @property {string} text its licence, as it comes with the package
 */

/**
 * Which packages are bundled, by name.
 * @param {string} dist the folder with the bundles and their maps
 * @returns {BundledPackage[]}
 */
export function bundledPackages(dist) {
  const folders = new Set()
  const maps = readdirSync(dist).filter((name) => name.endsWith('.map'))
  if (maps.length === 0) throw new Error(`'${dist}' has no source maps; build them: npm run build:js`)
  for (const map of maps) {
    for (const source of JSON.parse(readFileSync(join(dist, map), 'utf8')).sources) {
      const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(source)?.[0]
      if (folder) folders.add(resolve(dirname(join(dist, map)), folder))
    }
  }
  return [...folders].map(readPackage).sort((a, b) => a.name.localeCompare(b.name, 'en'))
}

function readPackage(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const file = readdirSync(folder).find((entry) => /^licen[cs]e([-.]\w+)*$/i.test(entry))
  if (file === undefined)
    throw new Error(`the package '${name}' is bundled and has no licence in '${folder}'`)
  return { name, version, license, text: readFileSync(join(folder, file), 'utf8').trim() }
}

/**
 * The page that comes with the package.
 * @param {BundledPackage[]} packages
 */
export function thirdPartyPage(packages) {
  const parts = packages.map(
    ({ name, version, license, text }) => `## ${name} ${version} (${license})\n\n\`\`\`\n${text}\n\`\`\`\n`,
  )
  return `# Packages of others\n\nThese are part of the files in \`dist\`, under their own licences.\n\n${parts.join('\n')}`
}
