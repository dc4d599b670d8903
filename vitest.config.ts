import { defineConfig } from "vitest/config";

const globalSetup = "tests/harness/global-redis.ts";

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
    projects: [
      // The contract, once per store.
      {
        extends: true,
        test: {
          name: "durable-object",
          include: ["tests/contract/*.spec.ts"],
          provide: { store: "durable-object" },
        },
      },
      {
        extends: true,
        test: {
          name: "redis",
          include: ["tests/contract/*.spec.ts"],
          provide: { store: "redis" },
          globalSetup,
        },
      },
      // What does not depend on the store, or concerns one of them.
      {
        extends: true,
        test: {
          name: "parts",
          include: ["tests/*.spec.ts"],
          provide: { store: "durable-object" },
          globalSetup,
        },
      },
    ],
  },
});
