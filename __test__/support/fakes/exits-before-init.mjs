#!/usr/bin/env node
import './protocol.mjs'

process.stderr.write('fake: the configuration is broken\n')
process.exit(3)
