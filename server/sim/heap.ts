/** A binary heap of numbers, least priority first; equal ones in the order in which they came. */
export function createHeap() {
  const items: { node: number; priority: number; order: number }[] = [];
  let count = 0;
  const before = (i: number, j: number) => {
    const a = items[i] as (typeof items)[number];
    const b = items[j] as (typeof items)[number];
    return a.priority < b.priority || (a.priority === b.priority && a.order < b.order);
  };
  const swap = (i: number, j: number) => {
    [items[i], items[j]] = [items[j] as (typeof items)[number], items[i] as (typeof items)[number]];
  };
  return {
    push(node: number, priority: number): void {
      items.push({ node, priority, order: count++ });
      for (let i = items.length - 1; i > 0;) {
        const parent = (i - 1) >> 1;
        if (!before(i, parent)) break;
        swap(i, parent);
        i = parent;
      }
    },
    pop(): number | undefined {
      if (items.length === 0) return undefined;
      swap(0, items.length - 1);
      const top = items.pop() as (typeof items)[number];
      for (let i = 0; ;) {
        let least = i;
        for (const child of [2 * i + 1, 2 * i + 2]) {
          if (child < items.length && before(child, least)) least = child;
        }
        if (least === i) break;
        swap(i, least);
        i = least;
      }
      return top.node;
    },
  };
}
