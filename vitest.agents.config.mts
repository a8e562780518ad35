import { defineConfig } from 'vitest/config'

// The real agents, against the loopback model server: `npm run test:agents`.
export default defineConfig({
  test: {
    include: ['__test__/agents/**/*.test.ts'],
    globalSetup: '__test__/agents/install.ts',
    setupFiles: '__test__/support/isolation.ts',
    testTimeout: 60_000,
    // An agent needs a core while it starts, and most of the rest waits for something.
    maxWorkers: 2,
  },
})
