#!/usr/bin/env node
import './protocol.mjs'

process.stdout.write('Segmentation fault (core dumped)\n<html>502 Bad Gateway</html>\n')
