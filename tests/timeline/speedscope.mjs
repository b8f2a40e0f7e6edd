// SPDX-License-Identifier: BSD-2-Clause
// Reads a file with the importer of the npm package speedscope, and prints what it found as JSON.
// usage: node speedscope.mjs PACKAGE_DIRECTORY FILE
//
// The package has no library, only the page: one script that ends by drawing it. The importer is what the page calls
// when the speedscope command hands it a file, so the script is run with that call in place of the drawing.
import fs from 'node:fs'
import path from 'node:path'
import vm from 'node:vm'

const [packageDirectory, file] = process.argv.slice(2)
const release = path.join(packageDirectory, 'dist/release')
const script = fs.readdirSync(release).find((name) => /^speedscope-.*\.js$/.test(name))
const source = fs.readFileSync(path.join(release, script), 'utf8')

const importer = /loadFileFromBase64:\((\w+),(\w+)\)=>\{this\.loadProfile\(\(\)=>(\w+)\(\1,\2\)\)\}/.exec(source)
const drawing = /;\w+\(\w+\(\w+,null,\w+\(\w+,null\)\),document\.body,[^;]*\);\}\)\(\);/.exec(source)
if (!importer || !drawing) throw new Error('this release of speedscope is built in another way')
const library =
  source.slice(0, drawing.index) + `;globalThis.importFile=${importer[3]}})();` + source.slice(drawing.index + drawing[0].length)

// What the script touches while it is loaded.
const element = { style: {}, appendChild() {}, getContext: () => null, setAttribute() {}, addEventListener() {} }
const document = {
  createElement: () => element, addEventListener() {}, body: element, head: element,
  querySelector: () => null, getElementById: () => null, documentElement: element,
}
const quiet = { ...console, log() {}, time() {}, timeEnd() {} }
const context = vm.createContext({
  console: quiet, document, navigator: { userAgent: '', platform: '' }, location: { protocol: 'file:', hash: '', href: 'file:///' },
  localStorage: { getItem: () => null, setItem() {} }, matchMedia: () => ({ matches: false, addListener() {}, addEventListener() {} }),
  addEventListener() {}, requestAnimationFrame() {}, setTimeout, clearTimeout, performance, TextDecoder, TextEncoder, URL, Blob, FileReader: class {},
  atob, btoa, fetch, Uint8Array, ArrayBuffer,
})
context.window = context.self = context.globalThis = context
vm.runInContext(library, context)

const group = await context.importFile(path.basename(file), fs.readFileSync(file).toString('base64'))
if (!group) throw new Error('speedscope does not recognise the file')
const profiles = group.profiles.map((profile) => {
  // Every call once, as the page draws it: where it is, how deep, how long.
  const calls = []
  const open = []
  let deepest = 0
  profile.forEachCall(
    (node, at) => {
      open.push({ name: node.frame.name, file: node.frame.file ?? null, begin: at, depth: open.length })
      deepest = Math.max(deepest, open.length)
    },
    (node, at) => {
      const call = open.pop()
      if (call.name !== node.frame.name) throw new Error(`${node.frame.name} ends where ${call.name} should`)
      calls.push({ ...call, length: at - call.begin })
    },
  )
  if (open.length) throw new Error(`${open.length} calls never end`)
  return { name: profile.getName(), unit: profile.getWeightUnit(), total: profile.getTotalWeight(), deepest, calls }
})
console.log(JSON.stringify({ name: group.name, active: group.indexToView, profiles }))
