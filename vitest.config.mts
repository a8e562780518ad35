import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['__test__/**/*.test.ts'],
    // The tests with real agents have a configuration of their own: `npm run test:agents`.
    exclude: ['__test__/agents/**'],
    // Processes and not threads: the addon and its runtime are then loaded as in a program.
    pool: 'forks',
    // Most of the time they wait for children.
    maxWorkers: '100%',
    globalSetup: '__test__/support/build.ts',
    setupFiles: '__test__/support/isolation.ts',
    // Nothing waits for time to pass; this is only when a test is given up.
    testTimeout: 30_000,
    hookTimeout: 120_000,
    typecheck: { enabled: true, include: ['__test__/**/*.test-d.ts'], tsconfig: './tsconfig.json' },
    coverage: {
      provider: 'v8',
      include: ['ts/**/*.ts'],
      reporter: ['text', 'json-summary', 'json'],
      reportsDirectory: 'coverage',
    },
  },
})
