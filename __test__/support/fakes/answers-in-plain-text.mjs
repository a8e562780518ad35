#!/usr/bin/env node
// What `claude --print --output-format=text` is: the prompt comes from stdin to its end, the answer is plain text.
import { text } from 'node:stream/consumers'

const prompt = await text(process.stdin)
process.stdout.write(JSON.stringify({ args: process.argv.slice(2), prompt, cwd: process.cwd() }))
process.exitCode = Number(process.env.FAKE_EXIT_CODE ?? 0)
