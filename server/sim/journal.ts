const INITIAL_CAPACITY = 32;

/** What came into view and went out of it by message, so that a viewer can take it back. Bounded: the oldest is overwritten. */
export interface Journal {
  /** Notes that an entity came into view, or went out of it, with a message. */
  note(sequence: number, id: number, entered: boolean): void;
  /** Takes out all that was noted after a message, the last first. */
  takeBack(sequence: number, each: (id: number, entered: boolean) => void): void;
  /** The last message of which something was overwritten; 0: none. */
  readonly lost: number;
  clear(): void;
}

/** A journal of at most so many notes. Eight bytes each: every viewer has one. */
export function createJournal(limit: number): Journal {
  return new Ring(limit);
}

class Ring implements Journal {
  lost = 0;
  private readonly limit: number;
  private ids = new Uint32Array(INITIAL_CAPACITY);
  /** Sequences times two, plus one for an entity that entered. */
  private marks = new Uint32Array(INITIAL_CAPACITY);
  private begin = 0;
  private count = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  note(sequence: number, id: number, entered: boolean): void {
    if (this.count === this.ids.length && this.count < this.limit) this.grow();
    if (this.count === this.ids.length) {
      this.lost = (this.marks[this.begin] as number) >>> 1;
      this.begin = (this.begin + 1) % this.ids.length;
      this.count--;
    }
    const at = (this.begin + this.count++) % this.ids.length;
    this.ids[at] = id;
    this.marks[at] = sequence * 2 + (entered ? 1 : 0);
  }

  takeBack(sequence: number, each: (id: number, entered: boolean) => void): void {
    while (this.count > 0) {
      const at = (this.begin + this.count - 1) % this.ids.length;
      const mark = this.marks[at] as number;
      if (mark >>> 1 <= sequence) return;
      this.count--;
      each(this.ids[at] as number, (mark & 1) === 1);
    }
  }

  clear(): void {
    this.count = 0;
    this.lost = 0;
  }

  private grow(): void {
    const size = Math.min(this.limit, this.ids.length * 2);
    const [ids, marks] = [new Uint32Array(size), new Uint32Array(size)];
    for (let i = 0; i < this.count; i++) {
      const at = (this.begin + i) % this.ids.length;
      ids[i] = this.ids[at] as number;
      marks[i] = this.marks[at] as number;
    }
    this.ids = ids;
    this.marks = marks;
    this.begin = 0;
  }
}
