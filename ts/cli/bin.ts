#!/usr/bin/env node
import module from 'node:module'

// Keeps what V8 has compiled between runs, where Node can (from 22.1); NODE_DISABLE_COMPILE_CACHE=1 turns it off.
;(module as { enableCompileCache?: () => void }).enableCompileCache?.()

// A file of its own, which nothing else is part of: no chunk imports it, which would run the command again.
void import('./main.js').then(({ main }) => main(process.argv.slice(2)))
