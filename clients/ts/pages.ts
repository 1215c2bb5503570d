/** Pages fetched for one list: more than any list of the server has. */
const MAX_PAGES = 100;

/** One page of a list. An empty `nextPageToken` says that it is the last. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextPageToken: string;
}

/** Fetches page after page until the last one, until there are `limit` items, or 100 pages. */
export async function collectPages<Item>(
  fetchPage: (pageToken: string) => Promise<Page<Item>>,
  limit = Infinity,
): Promise<Item[]> {
  const items: Item[] = [];
  let pageToken = "";
  for (let count = 0; count < MAX_PAGES; count++) {
    const page = await fetchPage(pageToken);
    items.push(...page.items);
    pageToken = page.nextPageToken;
    if (pageToken === "" || items.length >= limit) break;
  }
  return items.slice(0, limit);
}
