import * as fc from "fast-check";
import { expect, test } from "vitest";
import { collectPages } from "./pages.ts";

test("the items of all pages come in order, and no page is fetched beyond the limit", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer(), { maxLength: 40 }),
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 50 }),
      async (all, pageSize, limit) => {
        let fetched = 0;
        const list = await collectPages(async (token) => {
          const start = token === "" ? 0 : Number(token);
          const end = start + pageSize;
          fetched++;
          return { items: all.slice(start, end), nextPageToken: end < all.length ? `${end}` : "" };
        }, limit);
        expect(list).toEqual(all.slice(0, limit));
        expect((fetched - 1) * pageSize).toBeLessThan(Math.max(1, Math.min(limit, all.length)));
      },
    ),
  );
});

test("a server whose pages never end is left after 100 of them", async () => {
  let fetched = 0;
  await collectPages(async () => ({ items: [fetched++], nextPageToken: "more" }));
  expect(fetched).toBe(100);
});
