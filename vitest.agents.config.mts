import { defineConfig } from 'vitest/config'

// The real agents, against the loopback model server: `npm run test:agents`.
export default defineConfig({
  test: {
    include: ['__test__/agents/**/*.test.ts'],
    setupFiles: '__test__/support/isolation.ts',
    // The first run installs the agents (about 850 MB) outside the project.
    hookTimeout: 600_000,
    testTimeout: 60_000,
    // One agent needs a core and 200 MB.
    fileParallelism: false,
  },
})
