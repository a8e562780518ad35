#!/usr/bin/env node
// A file that nothing else is part of: a chunk that read it for what they share would run the command again.
void import('./main.js').then(({ main }) => main(process.argv.slice(2)))
