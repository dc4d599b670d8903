import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";

type Store = "durable-object" | "redis";

/** A project that runs the spec files of one folder in `tests/`. */
const project = (name: string, folder: string, store: Store, needsRedis: boolean): TestProjectInlineConfiguration => ({
  extends: true,
  test: {
    name,
    include: [`tests/${folder}/*.spec.ts`],
    provide: { store },
    ...(needsRedis ? { globalSetup: "tests/harness/redis_global_setup.ts" } : {}),
  },
});

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Many specs wait for deadlines, so two cores have time for a third.
    maxWorkers: 3,
    projects: [
      // The same specs for each store.
      project("durable-object", "contract", "durable-object", false),
      project("redis", "contract", "redis", true),
      // Specs that do not depend on the store, or test a single store.
      project("worker", "worker", "durable-object", false),
      project("stores", "stores", "durable-object", true),
      project("browser", "browser", "durable-object", false),
      project("commands", "commands", "durable-object", false),
      project("docs", "docs", "durable-object", false),
      project("unit", "unit", "durable-object", false),
    ],
  },
});
