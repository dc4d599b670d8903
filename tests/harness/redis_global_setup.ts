// One Redis for all tests of a project; each guard has a keyspace of its own.

import type { TestProject } from "vitest/node";
import { startRedis } from "./redis.ts";

/** Started before the first test, stopped after the last. */
export default async function setup(project: TestProject) {
  const redis = await startRedis();
  project.provide("restUrl", redis.restUrl);
  project.provide("redisUrl", redis.redisUrl);
  return () => redis[Symbol.asyncDispose]();
}
