// A cache bounded by bytes, in two generations: an entry that is used moves to the young generation; when that is
// full, the old generation is dropped. Rust's `BoundedCache` has the same rule. No `lru` package: those count
// entries, whose size clients choose, and relink a list on each hit.

/** @template {{ bytes: number }} Entry */
export class TwoGenerationCache {
  /** @type {Map<string, Entry>} */
  #young = new Map();
  /** @type {Map<string, Entry>} */
  #old = new Map();
  #youngBytes = 0;
  #generationBytes;

  /** @param {number} generationBytes the most bytes of each generation */
  constructor(generationBytes) {
    this.#generationBytes = generationBytes;
  }

  /** @param {string} key */
  get(key) {
    const entry = this.#young.get(key);
    if (entry !== undefined) return entry;
    const aged = this.#old.get(key);
    if (aged !== undefined) {
      this.#old.delete(key);
      this.set(key, aged);
    }
    return aged;
  }

  /**
   * @param {string} key
   * @param {Entry} entry
   */
  set(key, entry) {
    this.#youngBytes -= this.#young.get(key)?.bytes ?? 0;
    if (this.#youngBytes + entry.bytes > this.#generationBytes) {
      this.#young.delete(key);
      [this.#old, this.#young, this.#youngBytes] = [this.#young, new Map(), 0];
    }
    this.#young.set(key, entry);
    this.#youngBytes += entry.bytes;
  }

  clear() {
    this.#young = new Map();
    this.#old = new Map();
    this.#youngBytes = 0;
  }
}
