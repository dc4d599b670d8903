// One timer for all that a request waits for, one thing after the other. Each timer costs as much as a
// verdict, and hardly any rings: what takes its place is told to a timer that is set already, and none
// is taken back. The runtime forgets it with its request.

export class Timer {
  /** When the timer that is set rings, and when what is waited for is late: milliseconds since the Unix epoch. */
  #rings = Infinity;
  #until = Infinity;
  /** How long is waited, in milliseconds. */
  #millis = 0;
  /** @type {(() => void) | undefined} */
  #late;

  /**
   * Says what happens if nothing else is waited for once this time is over.
   * @param {number} millis
   * @param {() => void} late
   */
  wait(millis, late) {
    this.#late = late;
    this.#millis = millis;
    this.#until = Date.now() + millis;
    if (this.#until < this.#rings) this.#set(millis);
  }

  /** The time for what is waited for begins anew. */
  prolong() {
    this.#until = Date.now() + this.#millis;
  }

  /** Nothing is waited for any more. */
  end() {
    this.#late = undefined;
  }

  /** @param {number} millis */
  #set(millis) {
    this.#rings = this.#until;
    setTimeout(() => this.#ring(), millis);
  }

  #ring() {
    // This one has rung. What is waited for next needs another.
    this.#rings = Infinity;
    const late = this.#late;
    if (late === undefined) return;
    const left = this.#until - Date.now();
    if (left > 0) return this.#set(left);
    this.#late = undefined;
    late();
  }
}
